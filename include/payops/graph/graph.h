// The agent graph: typed state, nodes that read it and return a delta, edges that may depend on
// it. Every agent of the product is composed on this one runtime.
//
//   struct Asked { std::string text; };                       // a delta
//   void reduce(ChatState& state, Asked&& delta);             // must exist, or it does not compile
//
//   auto graph = GraphBuilder<ChatState>("chat")
//       .node("observe", [](const ChatState& s) { return Asked{…}; })
//       .node("decide", …)
//       .edge("observe", "decide")
//       .branch("decide", {"act", kEnd}, [](const ChatState& s) { return s.safe ? "act" : kEnd; })
//       .build();                                             // Result: every mistake in words
//   Checkpoint at = graph->start();
//   graph->run(state, at, ticks);                             // until the end or an interrupt
//
// A delta may be checked before it touches the state: `Status check(const State&, const Delta&)`.
// A node that must wait returns Interrupt<Delta>: its delta is applied and the checkpoint stands at
// the next node, so that resuming never runs it again. Pure: time for the trace is handed in.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "payops/core/fields.h"
#include "payops/core/result.h"

namespace payops::graph {

inline constexpr std::string_view kEnd = "end";

// A delta whose node asks the run to stop behind it, and why.
template <class Delta>
struct Interrupt {
  Delta delta;
  std::string reason;  // empty = go on
};

template <class State, class Delta>
concept Reducible = requires(State& state, Delta delta) {
  reduce(state, std::move(delta));
};

// Where a run stands. Plain data: store it with the state, and the run goes on after a restart.
struct Checkpoint {
  std::string next;         // node to run next, or kEnd
  uint32_t steps = 0;       // nodes run so far
  std::string interrupted;  // reason, or empty
  [[nodiscard]] bool done() const { return next == kEnd; }
  static constexpr auto fields() {
    return std::make_tuple(field("next", &Checkpoint::next), field("steps", &Checkpoint::steps),
                           field("interrupted", &Checkpoint::interrupted));
  }
};

struct NodeTiming {
  std::string node;
  int64_t duration_ns = 0;
  static constexpr auto fields() {
    return std::make_tuple(field("node", &NodeTiming::node),
                           field("duration_ns", &NodeTiming::duration_ns));
  }
};

// Monotonic nanoseconds, for the trace only.
using Ticks = std::function<int64_t()>;

// What the drawing and the checks need to know of a graph, whatever its state.
struct Shape {
  struct Edge {
    std::string from, to;
    bool conditional = false;
  };
  std::string name;
  std::string entry;
  std::vector<std::string> nodes;
  std::vector<Edge> edges;
};

// Every node can be reached and has exactly one way out (an edge or a branch); all names exist.
[[nodiscard]] Status check_shape(const Shape& shape);

// A Mermaid flowchart; conditional edges are dotted.
[[nodiscard]] std::string to_mermaid(const Shape& shape);

template <class State>
class GraphBuilder;

template <class State>
class Graph {
 public:
  [[nodiscard]] Checkpoint start() const { return {shape_.entry, 0, ""}; }
  [[nodiscard]] const Shape& shape() const { return shape_; }

  // Runs from `at` to the end or to an interrupt and returns the nodes run with their times.
  // Errors: corrupt when the checkpoint names no node; limit past the step limit; whatever a
  // delta's check says. On an error the state keeps the deltas applied before it.
  [[nodiscard]] Result<std::vector<NodeTiming>> run(State& state, Checkpoint& at,
                                                    const Ticks& ticks) const {
    std::vector<NodeTiming> trace;
    at.interrupted.clear();
    while (!at.done()) {
      const auto it = nodes_.find(at.next);
      if (it == nodes_.end()) {
        return fail(ErrorCode::corrupt,
                    "graph " + shape_.name + " has no node \"" + at.next + "\"");
      }
      if (at.steps >= step_limit_) {
        return fail(ErrorCode::limit, "graph " + shape_.name + " stopped after " +
                                          std::to_string(step_limit_) + " nodes, at \"" + at.next +
                                          "\"");
      }
      const int64_t began = ticks();
      auto reason = it->second.run(state);
      if (!reason) return tl::make_unexpected(reason.error());
      trace.push_back({at.next, ticks() - began});
      at.next = it->second.next(state);
      ++at.steps;
      if (!reason->empty()) {
        at.interrupted = std::move(*reason);
        break;
      }
    }
    return trace;
  }

 private:
  friend class GraphBuilder<State>;
  struct Node {
    std::function<Result<std::string>(State&)> run;  // gives the interrupt's reason, or ""
    std::function<std::string(const State&)> next;
  };
  Shape shape_;
  std::map<std::string, Node, std::less<>> nodes_;
  uint32_t step_limit_ = 0;
};

template <class State>
class GraphBuilder {
 public:
  explicit GraphBuilder(std::string_view name, uint32_t step_limit = 64) {
    graph_.shape_.name = name;
    graph_.step_limit_ = step_limit;
  }

  // The first node added is the entry. `node` takes const State& and gives a delta.
  template <class Fn>
  GraphBuilder& node(const std::string& name, Fn fn) {
    using Returned = std::invoke_result_t<Fn, const State&>;
    using Delta = typename Unwrapped<Returned>::type;
    static_assert(Reducible<State, Delta>,
                  "write reduce(State&, Delta&&) for what the node returns");
    if (graph_.shape_.entry.empty()) graph_.shape_.entry = name;
    graph_.shape_.nodes.push_back(name);
    graph_.nodes_[name].run = [fn = std::move(fn)](State& state) -> Result<std::string> {
      Returned returned = fn(std::as_const(state));
      if constexpr (Unwrapped<Returned>::interrupts) {
        if (Status status = apply(state, std::move(returned.delta)); !status) {
          return tl::make_unexpected(status.error());
        }
        return std::move(returned.reason);
      } else {
        if (Status status = apply(state, std::move(returned)); !status) {
          return tl::make_unexpected(status.error());
        }
        return std::string();
      }
    };
    return *this;
  }

  GraphBuilder& edge(const std::string& from, std::string_view to) {
    graph_.shape_.edges.push_back({from, std::string(to), false});
    graph_.nodes_[from].next = [to = std::string(to)](const State&) { return to; };
    return *this;
  }

  // `route` picks one of `targets` by the state after the node.
  template <class Route>
  GraphBuilder& branch(const std::string& from, const std::vector<std::string_view>& targets,
                       Route route) {
    for (const std::string_view to : targets) {
      graph_.shape_.edges.push_back({from, std::string(to), true});
    }
    graph_.nodes_[from].next = [route = std::move(route)](const State& state) {
      return std::string(route(state));
    };
    return *this;
  }

  // Errors: usage, naming every mistake in the shape.
  [[nodiscard]] Result<Graph<State>> build() {
    if (Status status = check_shape(graph_.shape_); !status) {
      return tl::make_unexpected(status.error());
    }
    return std::move(graph_);
  }

 private:
  template <class T>
  struct Unwrapped {
    using type = T;
    static constexpr bool interrupts = false;
  };
  template <class Delta>
  struct Unwrapped<Interrupt<Delta>> {
    using type = Delta;
    static constexpr bool interrupts = true;
  };

  template <class Delta>
  static Status apply(State& state, Delta&& delta) {
    if constexpr (requires { check(std::as_const(state), std::as_const(delta)); }) {
      if (Status status = check(std::as_const(state), std::as_const(delta)); !status) return status;
    }
    reduce(state, std::forward<Delta>(delta));
    return {};
  }

  Graph<State> graph_;
};

}  // namespace payops::graph
