#include "projection.h"

#include <memory>
#include <utility>

namespace payops::api {
namespace {

constexpr std::size_t kSparkSeriesMax = 20'000;

}  // namespace

Projection::Projection(Deployment deployment, std::size_t cells_max, double keep_s)
    : cells_max_(cells_max),
      keep_s_(keep_s),
      chronicle_(keep_s),
      sparks_(kSparkSeriesMax),
      nodes_(payments_agent::PaymentsAgent::shape().nodes) {
  known_.deployment = std::make_shared<Deployment>(std::move(deployment));
  known_.pulse.why = "starting";
}

void Projection::begin_anew(Deployment deployment) {
  chronicle_ = Chronicle(keep_s_);
  known_ = Knowledge{};
  known_.deployment = std::make_shared<Deployment>(std::move(deployment));
}

void Projection::cycle(const payments_agent::PaymentsAgent& agent,
                       std::shared_ptr<const Meters> meters) {
  auto view = std::make_shared<CycleView>(chronicle_.cycle(
      agent.report(), agent.open_incidents(), agent.incident_care(), agent.ledger().all()));
  view->timings = agent.timings();
  view->nodes = nodes_;
  view->meters = std::move(meters);
  view->effects = agent.effects();
  view->modes = agent.modes();
  known_.cycle = std::move(view);
}

void Projection::read_cells(const payments_agent::PaymentsAgent& agent, int64_t at_ms) {
  auto view = std::make_shared<CellsView>();
  view->at_ms = at_ms;
  for (reasoning::CellReading& reading : agent.cells(cells_max_)) {
    const Spark spark = sparks_.of(reading.key);
    view->cells.push_back({std::move(reading), spark});
  }
  known_.cells = std::move(view);
}

}  // namespace payops::api
