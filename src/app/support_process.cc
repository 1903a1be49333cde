#include "support_process.h"

#include <sys/resource.h>

#include <atomic>
#include <thread>

#include "live_support.h"
#include "payops/api/support_server.h"

namespace payops::app {

namespace {
constexpr int kNiceness = 10;
}  // namespace

struct SupportProcess::Impl {
  SupportLine line;
  std::unique_ptr<api::SupportServer> server;
  SupportAppConfig config;
  std::function<void(const std::string&)> on_note, on_trouble;
  std::atomic<bool> over{false};
  std::thread thread;

  void run();
};

void SupportProcess::Impl::run() {
  (void)setpriority(PRIO_PROCESS, 0, kNiceness);  // of this thread and those that it starts
  LiveSupportSpec spec;
  spec.config = config;
  spec.line = &line;
  spec.stop = [this] { return over.load(); };
  spec.on_note = on_note;
  spec.on_trouble = on_trouble;
  const auto result = run_live_support(spec);
  if (!result) on_trouble("support: " + result.error().message);
  line.close();
}

Result<std::unique_ptr<SupportProcess>> SupportProcess::start(
    SupportAppConfig config, std::function<void(const std::string&)> on_note,
    std::function<void(const std::string&)> on_trouble) {
  auto impl = std::make_unique<Impl>();
  auto server = api::SupportServer::start({.bind = config.http.bind,
                                           .port = config.http.port,
                                           .ws_port = config.http.ws_port,
                                           .origins = config.http.origins,
                                           .users_file = config.http.users_file,
                                           .token_s = config.http.token_s,
                                           .token_key = "",
                                           .on_note = on_note},
                                          impl->line);
  if (!server) return tl::make_unexpected(server.error());
  impl->server = std::move(*server);
  impl->config = std::move(config);
  impl->on_note = std::move(on_note);
  impl->on_trouble = std::move(on_trouble);
  return std::unique_ptr<SupportProcess>(new SupportProcess(std::move(impl)));
}

SupportProcess::SupportProcess(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

SupportProcess::~SupportProcess() {
  impl_->over = true;
  if (impl_->thread.joinable()) impl_->thread.join();
  impl_->line.close();
  impl_->server.reset();
}

void SupportProcess::begin() {
  if (impl_->thread.joinable()) return;
  impl_->thread = std::thread([own = impl_.get()] { own->run(); });
}

std::string SupportProcess::address() const { return impl_->server->address(); }

}  // namespace payops::app
