#include "payops/graph/graph.h"

#include <doctest/doctest.h>

namespace payops::graph {
namespace {

struct Desk {
  int asked = 0;
  int answered = 0;
  bool loop = false;
};
struct Ask {
  int n = 0;
};
struct Answer {};
void reduce(Desk& desk, Ask&& ask) { desk.asked += ask.n; }
void reduce(Desk& desk, Answer&&) { ++desk.answered; }
Status check(const Desk&, const Ask& ask) {
  if (ask.n < 0) return fail(ErrorCode::usage, "cannot ask a negative number of times");
  return {};
}

struct Unknown {};
static_assert(Reducible<Desk, Ask>);
static_assert(!Reducible<Desk, Unknown>, "a delta without a reducer must not be accepted");

const Ticks kTicks = [n = int64_t{0}]() mutable { return n += 5; };

Graph<Desk> desk_graph(int n, std::string reason = "") {
  auto graph = GraphBuilder<Desk>("desk", 8)
                   .node("ask",
                         [=](const Desk&) {
                           return Interrupt<Ask>{{n}, reason};
                         })
                   .node("answer", [](const Desk&) { return Answer{}; })
                   .edge("ask", "answer")
                   .branch("answer", {"ask", kEnd},
                           [](const Desk& d) { return d.loop ? std::string_view("ask") : kEnd; })
                   .build();
  REQUIRE(graph);
  return std::move(*graph);
}

TEST_CASE("nodes run in order, each with its time, and their deltas are reduced into the state") {
  Desk desk;
  const auto graph = desk_graph(2);
  Checkpoint at = graph.start();
  const auto trace = graph.run(desk, at, kTicks);
  REQUIRE(trace);
  REQUIRE(trace->size() == 2);
  CHECK((*trace)[0].node == "ask");
  CHECK((*trace)[1].duration_ns == 5);
  CHECK(desk.asked == 2);
  CHECK(desk.answered == 1);
  CHECK(at.done());
}

TEST_CASE("an interrupt resumes at the next node and never runs the last one again") {
  Desk desk;
  const auto graph = desk_graph(1, "needs a person");
  Checkpoint at = graph.start();
  REQUIRE(graph.run(desk, at, kTicks));
  CHECK(at.interrupted == "needs a person");
  CHECK(at.next == "answer");
  CHECK(desk.answered == 0);
  Checkpoint stored = at;  // as after a restart
  REQUIRE(graph.run(desk, stored, kTicks));
  CHECK(stored.done());
  CHECK(desk.asked == 1);
  CHECK(desk.answered == 1);
}

TEST_CASE("a loop ends at the step limit with an error that says where") {
  Desk desk{.loop = true};
  const auto graph = desk_graph(1);
  Checkpoint at = graph.start();
  const auto trace = graph.run(desk, at, kTicks);
  REQUIRE_FALSE(trace);
  CHECK(trace.error().code == ErrorCode::limit);
  CHECK(trace.error().message == "graph desk stopped after 8 nodes, at \"ask\"");
}

TEST_CASE("a delta that fails its check leaves the state as it was") {
  Desk desk;
  const auto graph = desk_graph(-1);
  Checkpoint at = graph.start();
  const auto trace = graph.run(desk, at, kTicks);
  REQUIRE_FALSE(trace);
  CHECK(desk.asked == 0);
  CHECK(at.next == "ask");
}

TEST_CASE("a wrong shape is refused with every mistake named") {
  const auto graph = GraphBuilder<Desk>("desk")
                         .node("ask", [](const Desk&) { return Ask{}; })
                         .node("lost", [](const Desk&) { return Answer{}; })
                         .edge("ask", "list")
                         .build();
  REQUIRE_FALSE(graph);
  CHECK(graph.error().message ==
        "graph desk: node \"lost\" has no way out; edge ask -> list names no node \"list\" (did "
        "you mean \"lost\"?); node \"lost\" cannot be reached");
}

TEST_CASE("the drawing shows plain and conditional edges") {
  CHECK(to_mermaid(desk_graph(1).shape()) ==
        "flowchart LR\n  start([desk]) --> ask\n  ask[ask]\n  answer[answer]\n  finish([done])\n"
        "  ask --> answer\n  answer -.-> ask\n  answer -.-> finish\n");
}

}  // namespace
}  // namespace payops::graph
