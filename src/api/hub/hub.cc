// C++17: websocketpp 0.8 does not compile as C++20.
#include "payops/api/hub.h"

#include <fcntl.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <deque>
#include <map>
#include <thread>
#include <type_traits>
#include <utility>

#define ASIO_STANDALONE
#include <websocketpp/config/asio.hpp>
#include <websocketpp/config/asio_no_tls.hpp>
#include <websocketpp/frame.hpp>
#include <websocketpp/server.hpp>

#include "tls.h"

namespace payops::api {
namespace {

// Sockets that have not said yet what they want; one more, and the oldest makes room.
constexpr std::size_t kUnopenedMax = 128;
constexpr std::size_t kMessageBytesMax = 64U << 10;
constexpr const char* kProtocol = "payops.v1";
constexpr const char* kTicketPrefix = "ticket.";

// Without compression (it costs memory per client), without logging, with small limits: clients
// have nothing to say. `Base` is websocketpp's configuration with or without TLS.
template <class Base>
struct Config : Base {
  using type = Config;
  using base = Base;
  using concurrency_type = typename base::concurrency_type;
  using request_type = typename base::request_type;
  using response_type = typename base::response_type;
  using message_type = typename base::message_type;
  using con_msg_manager_type = typename base::con_msg_manager_type;
  using endpoint_msg_manager_type = typename base::endpoint_msg_manager_type;
  using alog_type = typename base::alog_type;
  using elog_type = typename base::elog_type;
  using rng_type = typename base::rng_type;
  struct transport_config : public base::transport_config {
    using concurrency_type = typename base::concurrency_type;
    using alog_type = typename base::alog_type;
    using elog_type = typename base::elog_type;
    using request_type = typename base::request_type;
    using response_type = typename base::response_type;
    using socket_type = typename base::transport_config::socket_type;
  };
  using transport_type = websocketpp::transport::asio::endpoint<transport_config>;
  static const websocketpp::log::level elog_level = websocketpp::log::elevel::none;
  static const websocketpp::log::level alog_level = websocketpp::log::alevel::none;
  static const long timeout_open_handshake = 5000;
  static const long timeout_close_handshake = 2000;
  static const std::size_t max_message_size = kMessageBytesMax;
  static const std::size_t max_http_body_size = 1024;
};
using Plain = Config<websocketpp::config::asio>;
using Secure = Config<websocketpp::config::asio_tls>;

using Handle = websocketpp::connection_hdl;
using SteadyTime = std::chrono::steady_clock::time_point;
using TlsContext = websocketpp::lib::shared_ptr<websocketpp::lib::asio::ssl::context>;

}  // namespace

// What there is to a hub whatever its transport.
struct Hub::Impl {
  HubOptions options;
  HubSource source;
  std::thread thread;
  uint16_t port = 0;
  std::atomic<uint64_t> connected{0}, accepted{0}, refused{0}, snapshots{0}, lagged{0},
      closed_slow{0}, closed_talking{0}, closed_unwelcome{0};

  virtual ~Impl() = default;
  virtual bool listen(std::string& error) = 0;
  virtual void run() = 0;       // until it is over; throws what a connection throws
  virtual void end_soon() = 0;  // any thread
};

namespace {

template <class Kind>
struct Endpoint final : Hub::Impl {
  using Server = websocketpp::server<Kind>;
  using Message = typename Kind::message_type;
  using Frames = std::vector<typename Message::ptr>;
  struct Client {
    HubSource::Guest guest;
    bool lagging = false;
    SteadyTime since{};  // it has lagged
  };

  Server server;
  TlsContext tls;
  std::map<Handle, Client, std::owner_less<Handle>> clients;
  std::deque<Handle> unopened;                                           // in the order they came
  std::map<Handle, HubSource::Guest, std::owner_less<Handle>> admitted;  // of these
  std::size_t snapshot_bytes = 0;                                        // of the last one
  std::shared_ptr<typename Kind::con_msg_manager_type> messages =
      std::make_shared<typename Kind::con_msg_manager_type>();
  typename Server::timer_ptr tick_timer, heartbeat_timer;

  bool listen(std::string& error) override;
  void run() override { server.run(); }
  void end_soon() override {
    websocketpp::lib::asio::post(server.get_io_service(), [this] { stop(); });
  }
  bool open_port(std::string& error);
  void came(const Handle& handle);
  void no_longer_unopened(const Handle& handle);
  void show_out();
  bool validate(const Handle& handle);
  void opened(const Handle& handle);
  void talked(const Handle& handle);
  void tick();
  void beat();
  void schedule_tick();
  void schedule_beat();
  void serve(const Handle& handle, Client& client, const Frames& frames);
  bool send(const Handle& handle, const typename Message::ptr& message);
  void send_snapshot(const Handle& handle);
  typename Message::ptr framed(const std::string& text);
  void stop();
  void await_gone(int looks_left);
};

// The frame is made once for all clients.
template <class Kind>
typename Endpoint<Kind>::Message::ptr Endpoint<Kind>::framed(const std::string& text) {
  typename Message::ptr message =
      messages->get_message(websocketpp::frame::opcode::text, text.size());
  const websocketpp::frame::basic_header head(websocketpp::frame::opcode::text, text.size(), true,
                                              false);
  const websocketpp::frame::extended_header size(text.size());
  message->set_header(websocketpp::frame::prepare_header(head, size));
  message->set_payload(text);
  message->set_prepared(true);
  return message;
}

template <class Kind>
bool Endpoint<Kind>::listen(std::string& error) {
  server.clear_access_channels(websocketpp::log::alevel::all);
  server.clear_error_channels(websocketpp::log::elevel::all);
  websocketpp::lib::error_code code;
  server.init_asio(code);
  if (code) {
    error = code.message();
    return false;
  }
  server.set_reuse_addr(true);
  server.set_listen_backlog(128);
  server.set_max_http_body_size(Kind::max_http_body_size);
  server.set_tcp_pre_init_handler([this](const Handle& handle) { came(handle); });
  server.set_fail_handler([this](const Handle& handle) { no_longer_unopened(handle); });
  if (options.send_buffer_bytes > 0) {
    const int bytes = options.send_buffer_bytes;
    server.set_tcp_post_init_handler([this, bytes](const Handle& handle) {
      websocketpp::lib::error_code ignored;
      asio::error_code socket_ignored;
      if (const auto connection = server.get_con_from_hdl(handle, ignored)) {
        connection->get_socket().lowest_layer().set_option(
            asio::socket_base::send_buffer_size(bytes), socket_ignored);
      }
    });
  }
  // Not for programs that this one starts.
  server.set_tcp_pre_bind_handler([](const auto& acceptor) {
    (void)fcntl(acceptor->native_handle(), F_SETFD, FD_CLOEXEC);
    return websocketpp::lib::error_code();
  });
  server.set_validate_handler([this](const Handle& handle) { return validate(handle); });
  server.set_open_handler([this](const Handle& handle) { opened(handle); });
  server.set_close_handler([this](const Handle& handle) {
    clients.erase(handle);
    connected = clients.size();
  });
  server.set_message_handler(
      [this](const Handle& handle, const typename Server::message_ptr&) { talked(handle); });
  if constexpr (std::is_same_v<Kind, Secure>) {
    tls = tls_context(options.tls_cert, options.tls_key, error);
    if (!tls) return false;
    server.set_tls_init_handler([this](const Handle&) { return tls; });
  }
  return open_port(error);
}

template <class Kind>
bool Endpoint<Kind>::open_port(std::string& error) {
  websocketpp::lib::error_code code;
  asio::error_code bad_address;
  const auto address = asio::ip::make_address(options.bind, bad_address);
  if (bad_address) {
    error = "\"" + options.bind + "\" is not an address to bind to";
    return false;
  }
  server.listen(asio::ip::tcp::endpoint(address, options.port), code);
  if (!code) server.start_accept(code);
  if (code) {
    error = "the WebSocket port " + std::to_string(options.port) + " on " + options.bind +
            " cannot be used: " + code.message();
    return false;
  }
  asio::error_code ignored;
  port = server.get_local_endpoint(ignored).port();
  schedule_tick();
  schedule_beat();
  return true;
}

template <class Kind>
void Endpoint<Kind>::came(const Handle& handle) {
  websocketpp::lib::error_code code;
  asio::error_code ignored;
  if (const auto connection = server.get_con_from_hdl(handle, code)) {
    (void)fcntl(connection->get_socket().lowest_layer().native_handle(), F_SETFD, FD_CLOEXEC);
  }
  unopened.push_back(handle);
  if (unopened.size() <= kUnopenedMax) return;
  const auto oldest = server.get_con_from_hdl(unopened.front(), code);
  unopened.pop_front();
  if (oldest) oldest->get_socket().lowest_layer().close(ignored);
}

template <class Kind>
void Endpoint<Kind>::no_longer_unopened(const Handle& handle) {
  const std::owner_less<Handle> before;
  const auto it = std::find_if(unopened.begin(), unopened.end(), [&](const Handle& h) {
    return !before(h, handle) && !before(handle, h);
  });
  if (it != unopened.end()) unopened.erase(it);
  admitted.erase(handle);
}

template <class Kind>
bool Endpoint<Kind>::validate(const Handle& handle) {
  const auto connection = server.get_con_from_hdl(handle);
  const auto refuse = [&](websocketpp::http::status_code::value status, const char* why) {
    ++refused;
    source.refused(why);
    connection->set_status(status);
    return false;
  };
  const auto& origins = options.origins;
  const bool known =
      std::find(origins.begin(), origins.end(), connection->get_origin()) != origins.end();
  if (!known)
    return refuse(websocketpp::http::status_code::forbidden,
                  "it came from a page of another origin");
  if (connection->get_resource() != "/live") {
    return refuse(websocketpp::http::status_code::not_found, "there is nothing at its path");
  }
  bool speaks = false;
  std::string ticket;
  for (const std::string& offered : connection->get_requested_subprotocols()) {
    if (offered == kProtocol) speaks = true;
    if (offered.rfind(kTicketPrefix, 0) == 0) ticket = offered.substr(7);
  }
  if (!speaks)
    return refuse(websocketpp::http::status_code::bad_request, "it does not speak the protocol");
  if (clients.size() >= options.clients_max) {
    return refuse(websocketpp::http::status_code::service_unavailable, "too many watch already");
  }
  HubSource::Guest guest = source.admit(ticket);
  if (!guest.still_welcome) {
    return refuse(websocketpp::http::status_code::unauthorized, "its ticket is not good");
  }
  admitted[handle] = std::move(guest);
  connection->select_subprotocol(kProtocol);
  return true;
}

template <class Kind>
void Endpoint<Kind>::opened(const Handle& handle) {
  Client client;
  client.guest = std::move(admitted[handle]);
  no_longer_unopened(handle);
  if (clients.size() >= options.clients_max) {  // several were let in at once
    ++refused;
    source.refused("too many watch already");
    websocketpp::lib::error_code ignored;
    server.close(handle, websocketpp::close::status::try_again_later, "too many", ignored);
    return;
  }
  clients.emplace(handle, std::move(client));
  connected = clients.size();
  ++accepted;
  const std::string hello = source.hello();
  if (hello.empty() || send(handle, framed(hello))) send_snapshot(handle);
}

// Commands go by POST; whoever talks here is not the console.
template <class Kind>
void Endpoint<Kind>::talked(const Handle& handle) {
  ++closed_talking;
  websocketpp::lib::error_code ignored;
  server.close(handle, websocketpp::close::status::policy_violation, "nothing is read here",
               ignored);
}

template <class Kind>
bool Endpoint<Kind>::send(const Handle& handle, const typename Message::ptr& message) {
  websocketpp::lib::error_code code;
  server.send(handle, message, code);
  return !code;
}

template <class Kind>
void Endpoint<Kind>::send_snapshot(const Handle& handle) {
  const std::string text = source.snapshot();
  snapshot_bytes = text.size();
  ++snapshots;
  (void)send(handle, framed(text));
}

template <class Kind>
void Endpoint<Kind>::serve(const Handle& handle, Client& client, const Frames& frames) {
  websocketpp::lib::error_code code;
  const auto connection = server.get_con_from_hdl(handle, code);
  if (code) return;
  const std::size_t waiting = connection->get_buffered_amount();
  const auto now = std::chrono::steady_clock::now();
  const bool lags_too_long =
      client.lagging && now - client.since > std::chrono::milliseconds(options.lag_max_ms);
  if (waiting > options.close_bytes + snapshot_bytes || lags_too_long) {
    ++closed_slow;
    connection->terminate(websocketpp::lib::error_code());
    return;
  }
  if (client.lagging) {
    if (waiting > 0) return;
    client.lagging = false;
    send_snapshot(handle);
    return;
  }
  if (waiting > options.lag_bytes + snapshot_bytes) {
    client.lagging = true;
    client.since = now;
    ++lagged;
    return;
  }
  for (const auto& frame : frames) {
    if (frame) (void)send(handle, frame);
  }
}

template <class Kind>
void Endpoint<Kind>::tick() {
  const std::string text = source.delta();
  const typename Message::ptr delta = text.empty() ? typename Message::ptr() : framed(text);
  std::map<std::string, Frames> own;
  for (const Addressed& message : source.addressed()) {
    own[message.to].push_back(framed(message.text));
  }
  // Ending one client must not disturb the walk over all.
  std::vector<Handle> all;
  all.reserve(clients.size());
  for (const auto& [handle, client] : clients) all.push_back(handle);
  for (const Handle& handle : all) {
    if (const auto it = clients.find(handle); it != clients.end()) {
      Frames frames{delta};
      if (const auto mine = own.find(it->second.guest.name); mine != own.end()) {
        frames.insert(frames.end(), mine->second.begin(), mine->second.end());
      }
      serve(handle, it->second, frames);
    }
  }
}

// Who was removed, or may do other things now than then, signs in again.
template <class Kind>
void Endpoint<Kind>::show_out() {
  std::vector<Handle> unwelcome;
  for (const auto& [handle, client] : clients) {
    if (!client.guest.still_welcome()) unwelcome.push_back(handle);
  }
  for (const Handle& handle : unwelcome) {
    ++closed_unwelcome;
    websocketpp::lib::error_code ignored;
    server.close(handle, websocketpp::close::status::policy_violation, "sign in again", ignored);
    clients.erase(handle);
  }
  connected = clients.size();
}

template <class Kind>
void Endpoint<Kind>::beat() {
  show_out();
  const typename Message::ptr message = framed(source.heartbeat());
  for (const auto& [handle, client] : clients) {
    if (!client.lagging) (void)send(handle, message);
  }
}

template <class Kind>
void Endpoint<Kind>::schedule_tick() {
  tick_timer = server.set_timer(options.tick_ms, [this](const websocketpp::lib::error_code& code) {
    if (code) return;
    tick();
    schedule_tick();
  });
}

template <class Kind>
void Endpoint<Kind>::schedule_beat() {
  heartbeat_timer =
      server.set_timer(options.heartbeat_ms, [this](const websocketpp::lib::error_code& code) {
        if (code) return;
        beat();
        schedule_beat();
      });
}

template <class Kind>
void Endpoint<Kind>::stop() {
  websocketpp::lib::error_code ignored;
  server.stop_listening(ignored);
  tick_timer->cancel();
  heartbeat_timer->cancel();
  for (const auto& [handle, client] : clients) {
    server.close(handle, websocketpp::close::status::going_away, "", ignored);
  }
  await_gone(25);
}

// Who does not answer in half a second is not waited for.
template <class Kind>
void Endpoint<Kind>::await_gone(int looks_left) {
  if (clients.empty() || looks_left == 0) {
    server.stop();
    return;
  }
  tick_timer = server.set_timer(
      20, [this, looks_left](const websocketpp::lib::error_code&) { await_gone(looks_left - 1); });
}

}  // namespace

Hub::Hub(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

std::unique_ptr<Hub> Hub::start(HubOptions options, HubSource source, std::string& error) {
  const bool secure = !options.tls_cert.empty();
  std::unique_ptr<Impl> impl;
  if (secure) {
    impl = std::make_unique<Endpoint<Secure>>();
  } else {
    impl = std::make_unique<Endpoint<Plain>>();
  }
  impl->options = std::move(options);
  impl->source = std::move(source);
  if (!impl->listen(error)) return nullptr;
  Impl* running = impl.get();
  impl->thread = std::thread([running] {
    for (;;) {
      try {
        running->run();
        return;
      } catch (const std::exception&) {  // of one connection; the others go on
      }
    }
  });
  return std::make_unique<Hub>(std::move(impl));
}

Hub::~Hub() {
  impl_->end_soon();
  impl_->thread.join();
}

uint16_t Hub::port() const { return impl_->port; }

HubCounts Hub::counts() const {
  return {impl_->connected, impl_->accepted,    impl_->refused,        impl_->snapshots,
          impl_->lagged,    impl_->closed_slow, impl_->closed_talking, impl_->closed_unwelcome};
}

}  // namespace payops::api
