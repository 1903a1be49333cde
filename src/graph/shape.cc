#include <algorithm>
#include <set>

#include "payops/core/text.h"
#include "payops/graph/graph.h"

namespace payops::graph {
namespace {

void check_nodes(const Shape& shape, std::vector<std::string>& mistakes) {
  std::set<std::string> seen;
  for (const std::string& node : shape.nodes) {
    if (!seen.insert(node).second) mistakes.push_back("node \"" + node + "\" is added twice");
    if (node == kEnd) mistakes.push_back("\"end\" is not a node's name");
    const auto out = std::count_if(shape.edges.begin(), shape.edges.end(),
                                   [&](const Shape::Edge& e) { return e.from == node; });
    const auto plain =
        std::count_if(shape.edges.begin(), shape.edges.end(),
                      [&](const Shape::Edge& e) { return e.from == node && !e.conditional; });
    if (out == 0) mistakes.push_back("node \"" + node + "\" has no way out");
    if (plain > 1 || (plain == 1 && out > 1)) {
      mistakes.push_back("node \"" + node + "\" has more than one edge; branch instead");
    }
  }
}

std::set<std::string> reachable(const Shape& shape) {
  std::set<std::string> found{shape.entry};
  for (std::size_t before = 0; before != found.size();) {
    before = found.size();
    for (const Shape::Edge& edge : shape.edges) {
      if (found.count(edge.from) != 0) found.insert(edge.to);
    }
  }
  return found;
}

}  // namespace

Status check_shape(const Shape& shape) {
  std::vector<std::string> mistakes;
  if (shape.nodes.empty()) mistakes.emplace_back("there is no node");
  check_nodes(shape, mistakes);
  const auto known = [&](const std::string& name) {
    return name == kEnd ||
           std::find(shape.nodes.begin(), shape.nodes.end(), name) != shape.nodes.end();
  };
  for (const Shape::Edge& edge : shape.edges) {
    for (const std::string& name : {edge.from, edge.to}) {
      if (!known(name)) {
        mistakes.push_back("edge " + edge.from + " -> " + edge.to + " names no node \"" + name +
                           "\"" + did_you_mean(name, shape.nodes));
      }
    }
  }
  const std::set<std::string> found = reachable(shape);
  for (const std::string& node : shape.nodes) {
    if (found.count(node) == 0) mistakes.push_back("node \"" + node + "\" cannot be reached");
  }
  if (mistakes.empty()) return {};
  return fail(ErrorCode::usage, "graph " + shape.name + ": " + join(mistakes, "; "));
}

std::string to_mermaid(const Shape& shape) {
  std::string text = "flowchart LR\n  start([" + shape.name + "]) --> " + shape.entry + "\n";
  for (const std::string& node : shape.nodes) text += "  " + node + "[" + node + "]\n";
  text += "  finish([done])\n";
  for (const Shape::Edge& edge : shape.edges) {
    const std::string to = edge.to == kEnd ? "finish" : edge.to;
    text += "  " + edge.from + (edge.conditional ? " -.-> " : " --> ") + to + "\n";
  }
  return text;
}

}  // namespace payops::graph
