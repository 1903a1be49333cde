#include "virtual_run.h"

#include <memory>

#include "payops/memory/audit_files.h"
#include "payops/memory/audit_reader.h"
#include "payops/runtime/in_memory.h"
#include "version.h"

namespace payops::app {

Result<RunStory> run_virtually(const VirtualRunSpec& spec) {
  auto declines = load_decline_table(spec.config);
  if (!declines) return tl::make_unexpected(declines.error());
  const evaluation::Stage stage =
      evaluation::stage_of(spec.scenario, spec.seed, spec.duration_s, spec.rate_tps, spec.start_ms);
  std::unique_ptr<StepFiles> files = std::make_unique<InMemoryFiles>(false);
  if (!spec.audit_dir.empty()) {
    if (memory::holds_log(spec.audit_dir)) {
      return fail(ErrorCode::usage,
                  spec.audit_dir +
                      " already holds the audit log of another run: give a new folder, or remove "
                      "that one");
    }
    auto opened = memory::AuditFiles::open(spec.audit_dir);
    if (!opened) return tl::make_unexpected(opened.error());
    files = std::move(*opened);
  }
  StoryTeller teller;
  int64_t end_ms = stage.start_ms;
  payments_agent::PaymentsAgent agent;
  const auto books = evaluation::run_closed_loop(
      stage,
      {.build = kVersion,
       .agent = spec.config.agent,
       .observation = spec.config.observation,
       .mapping = spec.config.mapping},
      *declines, agent, *files,
      {.cycle =
           [&](const payments_agent::CycleReport& report) {
             teller.cycle(report);
             spec.on_cycle(report);
           },
       .published = [&](const OutboxEntry& entry) { teller.published(entry); },
       .truth = [&](const auto& events) { teller.truth(events); },
       .progress =
           [&](int64_t done_ms, int64_t all_ms) {
             end_ms = stage.start_ms + done_ms;
             spec.on_progress(done_ms, all_ms);
           },
       .stop = spec.stop});
  if (!books) return tl::make_unexpected(books.error());

  RunStory& story = teller.story;
  story.totals = agent.totals();
  story.books = *books;
  story.start_ms = stage.start_ms;
  story.end_ms = end_ms;
  story.interrupted = end_ms < stage.end_ms;
  story.currency = spec.config.agent.economics.reporting_currency;
  story.result.scenario = spec.scenario.name;
  story.result.seed = spec.seed;
  story.result.cycles = agent.totals().cycles;
  story.result.net_revenue_minor = story.books.net_revenue_minor();
  story.result.nothing_revenue_minor =
      simulators::books_without_actions(stage.scenario, stage.seed, stage.start_ms, end_ms,
                                        stage.rate_tps)
          .net_revenue_minor();
  return story;
}

}  // namespace payops::app
