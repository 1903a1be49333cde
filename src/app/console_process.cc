#include "console_process.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <utility>

#include "audit_key.h"
#include "audit_past.h"
#include "payops/core/digest.h"
#include "payops/core/json_fields.h"
#include "payops/core/text.h"
#include "payops/memory/log_index.h"
#include "payops/payments_agent/step_input.h"
#include "payops/streaming/event_producer.h"
#include "version.h"

namespace payops::app {
namespace {

constexpr int64_t kVerdictSentMs = 5'000;

// Publishes to payops.approvals, as `payops approve` does. The producer is opened on first use: an
// agent whose console decides nothing needs none.
class Approvals final : public api::VerdictSink {
 public:
  explicit Approvals(streaming::StreamingConfig config) : config_(std::move(config)) {}
  Status send(const Verdict& verdict) override {
    if (producer_ == nullptr) {
      auto opened = streaming::EventProducer::open(config_);
      if (!opened) return tl::make_unexpected(opened.error());
      producer_ = std::move(*opened);
    }
    Status sent = producer_->send("payops.approvals", verdict.proposal_id, dump(to_json(verdict)));
    if (sent) sent = producer_->flush(kVerdictSentMs);
    return sent;
  }

 private:
  streaming::StreamingConfig config_;
  std::unique_ptr<streaming::EventProducer> producer_;
};

api::Deployment deployment_of(const AppConfig& config, bool demo) {
  api::Deployment d;
  d.build = kVersion;
  d.currency = config.agent.economics.reporting_currency;
  d.cycle_interval_s = config.agent.cycle_interval_s;
  d.demo = demo;
  const safety::Limits& limits = config.agent.limits;
  for (const std::string& type : decision::Planner().types()) {
    const auto own = limits.modes.find(type);
    const Mode mode = own == limits.modes.end() ? limits.default_mode : own->second;
    d.mode[type] = name_of(std::min(limits.mode, mode));
  }
  return d;
}

}  // namespace

namespace {

constexpr int64_t kEarlierMs = 3'600'000;  // of event time, before the log's end

// What the log has of the last hour, so that lines and series do not begin with this process.
Status tell_earlier(const std::string& audit_dir, api::Feed& feed) {
  memory::LogIndex log(audit_dir);
  if (Status read = log.refresh([](const AuditLine&) {}); !read) return read;
  const std::size_t steps = log.steps();
  for (std::size_t i = 0; i < steps; ++i) {
    if (log.ts_ms(i) + kEarlierMs < log.ts_ms(steps - 1)) continue;
    const auto step = log.step(i);
    if (!step) return tl::make_unexpected(step.error());
    const auto input = payments_agent::decode_block(step->block);
    if (!input) return tl::make_unexpected(input.error());
    for (const ClosedBucket& bucket : input->buckets) feed.earlier(bucket);
  }
  return {};
}

}  // namespace

struct ConsoleProcess::Impl {
  KeyPair key;
  api::Feed feed;
  Approvals approvals;
  AuditPast past;
  std::unique_ptr<api::Console> console;
};

Result<std::unique_ptr<ConsoleProcess>> ConsoleProcess::start(
    const AppConfig& config, api::Simulator* simulator,
    std::function<void(const std::string&)> on_note) {
  std::error_code error;
  std::filesystem::create_directories(config.process.state_dir, error);
  auto key = load_key(config.process.state_dir + "/console.key");
  if (!key) return tl::make_unexpected(key.error());
  api::FeedOptions options;
  options.deployment = deployment_of(config, simulator != nullptr);
  options.cells_max = static_cast<std::size_t>(config.console.cells_max);
  options.series_max = static_cast<std::size_t>(config.console.series_max);
  api::RewindOptions past;
  past.deployment = options.deployment;
  past.cells_max = options.cells_max;
  past.keep_s = options.keep_s;
  const std::string secret = key->secret_key_hex;
  auto impl = std::unique_ptr<Impl>(new Impl{.key = std::move(*key),
                                             .feed = api::Feed(std::move(options)),
                                             .approvals = Approvals(config.streaming),
                                             .past = AuditPast(config.process.audit_dir, past),
                                             .console = nullptr});
  api::ConsoleSpec spec;
  spec.config = config.console;
  spec.simulator = simulator;
  spec.past = &impl->past;
  spec.signing_key_hex = secret;
  // Sign-ins outlive a restart: who has the one key has the other.
  spec.token_key = sha256_hex(secret + " signs the console's tokens");
  if (const char* token_key = std::getenv("PAYOPS_CONSOLE_KEY"); token_key != nullptr) {
    spec.token_key = token_key;
  }
  spec.on_note = on_note;
  if (Status told = tell_earlier(config.process.audit_dir, impl->feed); !told) {
    on_note("console: lines and series begin now: " + told.error().message);
  }
  auto console = api::Console::start(std::move(spec), impl->feed, impl->approvals);
  if (!console) return tl::make_unexpected(console.error());
  impl->console = std::move(*console);
  on_note("console: " + impl->console->address() + " (WebSocket port " +
          std::to_string(impl->console->ws_port()) + ")");
  return std::unique_ptr<ConsoleProcess>(new ConsoleProcess(std::move(impl)));
}

ConsoleProcess::ConsoleProcess(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
ConsoleProcess::~ConsoleProcess() = default;
api::Feed& ConsoleProcess::feed() { return impl_->feed; }
const std::string& ConsoleProcess::public_key_hex() const { return impl_->key.public_key_hex; }
std::string ConsoleProcess::address() const { return impl_->console->address(); }

}  // namespace payops::app
