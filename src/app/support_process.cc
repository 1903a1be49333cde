#include "support_process.h"

#include <atomic>
#include <thread>

#include "live_support.h"
#include "payops/api/support_server.h"

namespace payops::app {

struct SupportProcess::Impl {
  SupportLine line;
  std::unique_ptr<api::SupportServer> server;
  std::atomic<bool> over{false};
  std::thread thread;
};

Result<std::unique_ptr<SupportProcess>> SupportProcess::start(
    SupportAppConfig config, std::function<void(const std::string&)> on_note,
    std::function<void(const std::string&)> on_trouble) {
  auto impl = std::make_unique<Impl>();
  auto server = api::SupportServer::start({.bind = config.http.bind,
                                           .port = config.http.port,
                                           .users_file = config.http.users_file,
                                           .token_s = config.http.token_s,
                                           .token_key = "",
                                           .on_note = on_note},
                                          impl->line);
  if (!server) return tl::make_unexpected(server.error());
  impl->server = std::move(*server);
  Impl* own = impl.get();
  impl->thread = std::thread([own, config = std::move(config), on_note, on_trouble] {
    LiveSupportSpec spec;
    spec.config = config;
    spec.line = &own->line;
    spec.stop = [own] { return own->over.load(); };
    spec.on_note = on_note;
    spec.on_trouble = on_trouble;
    const auto result = run_live_support(spec);
    if (!result) on_trouble("support: " + result.error().message);
    own->line.close();
  });
  return std::unique_ptr<SupportProcess>(new SupportProcess(std::move(impl)));
}

SupportProcess::SupportProcess(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

SupportProcess::~SupportProcess() {
  impl_->over = true;
  if (impl_->thread.joinable()) impl_->thread.join();
  impl_->line.close();
  impl_->server.reset();
}

std::string SupportProcess::address() const { return impl_->server->address(); }

}  // namespace payops::app
