#include "payops/api/console.h"

#include <httplib.h>
#include <sodium.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "commands.h"
#include "http_server.h"
#include "idempotency.h"
#include "metrics.h"
#include "openapi.h"
#include "page.h"
#include "past_routes.h"
#include "payops/api/access.h"
#include "payops/core/check.h"
#include "payops/core/clock.h"
#include "payops/core/json_fields.h"
#include "payops/core/text.h"
#include "stream.h"

namespace payops::api {
namespace {

using httplib::Request;
using httplib::Response;

constexpr std::size_t kIdempotencyKeyMax = 64;
constexpr std::size_t kTokenKeyMin = 32;
constexpr const char* kSomebody = "somebody";  // who has not said, or not shown, who they are

bool session_over(const Identity& who, int64_t now_ms) {
  return now_ms - who.signed_in_ms > kSessionS * 1000;
}

std::string random_bytes(std::size_t count) {
  PAYOPS_CHECK(sodium_init() >= 0);
  std::string bytes(count, '\0');
  randombytes_buf(bytes.data(), bytes.size());
  return bytes;
}

}  // namespace

Status ConsoleConfig::validate() const {
  const auto port = [](int32_t p) { return p >= 0 && p <= 65'535; };
  if (!port(http_port) || !port(ws_port)) {
    return fail(ErrorCode::config, "\"http_port\" and \"ws_port\" must be from 0 to 65535");
  }
  if (http_port != 0 && http_port == ws_port) {
    return fail(ErrorCode::config, "\"http_port\" and \"ws_port\" must differ");
  }
  if (clients_max < 1 || clients_max > 100'000) {
    return fail(ErrorCode::config, "\"clients_max\" must be from 1 to 100000");
  }
  if (cells_max < 1 || cells_max > 100'000) {
    return fail(ErrorCode::config, "\"cells_max\" must be from 1 to 100000");
  }
  if (series_max < 0 || series_max > 100'000) {
    return fail(ErrorCode::config, "\"series_max\" must be from 0 to 100000");
  }
  if (token_s < 10 || token_s > 86'400) {
    return fail(ErrorCode::config, "\"token_s\" must be from 10 to 86400");
  }
  if (tls_cert.empty() != tls_key.empty()) {
    return fail(ErrorCode::config, "\"tls_cert\" and \"tls_key\" go together");
  }
  for (const std::string& origin : origins) {
    const bool web = origin.rfind("http://", 0) == 0 || origin.rfind("https://", 0) == 0;
    const auto end = origin.find('/', 8);
    const bool odd = origin.find_first_of(" ;,'\"\r\n*") != std::string::npos;
    if (!web || odd || end != std::string::npos) {
      return fail(ErrorCode::config, "\"origins\" has \"" + origin +
                                         "\"; an origin is as browsers send it, for example "
                                         "\"https://payops.example:8443\"");
    }
  }
  return {};
}

struct Console::Impl {
  ConsoleSpec spec;
  Feed& feed;
  Stream stream;
  Tokens tokens;
  Tickets tickets;
  SignIn sign_in;
  Idempotency kept;
  Commands commands;
  Metrics metrics;
  std::vector<std::string> origins;
  std::string content_policy;
  std::unique_ptr<Hub> hub;
  HttpServer server;

  Impl(ConsoleSpec s, Feed& f, VerdictSink& sink, std::string token_key)
      : spec(std::move(s)),
        feed(f),
        stream(f, to_hex(random_bytes(8))),
        tokens(std::move(token_key), spec.config.token_s),
        sign_in(spec.config.users_file),
        commands(f, sink, spec.signing_key_hex, spec.answer_wait_ms) {}

  [[nodiscard]] bool secure() const { return !spec.config.tls_cert.empty(); }

  Status open();
  Status open_hub();
  void route();
  void route_reads();
  Reply disturb(const Identity& who, const std::string& body);
  void route_commands();

  using Command = std::function<Reply(const Identity&, const Request&)>;
  // A call that needs a sign-in and a right.
  httplib::Server::Handler guarded(Right right, const std::string& what, SignedIn handler);
  // The same with an idempotency key, answered once.
  httplib::Server::Handler command(Right right, const std::string& what, Command command);
  bool own_origin(const Request& req) const;
  void sign_someone_in(const Request& req, Response& res);
  bool give_token(const Identity& who, Response& res) const;
  void renew(const Identity& who, Response& res) const;
  void serve_page(const Request& req, Response& res);
};

bool Console::Impl::own_origin(const Request& req) const {
  if (!req.has_header("Origin")) return true;  // no browser
  return std::find(origins.begin(), origins.end(), req.get_header_value("Origin")) != origins.end();
}

httplib::Server::Handler Console::Impl::guarded(Right right, const std::string& what,
                                                SignedIn handler) {
  return [this, right, what, handler = std::move(handler)](const Request& req, Response& res) {
    const std::string header = req.get_header_value("Authorization");
    const std::string token = header.rfind("Bearer ", 0) == 0 ? header.substr(7) : "";
    const auto who = tokens.check(token, SystemClock().now_ms());
    const bool gone = who && !sign_in.still(*who);
    if (!who || gone) {
      const std::string why = gone ? std::string(kGone) : who.error().message;
      // Looking is refused to whoever comes by; what is written down is what they wanted done.
      if (req.method == "POST") commands.refused(gone ? who->user : kSomebody, req.path, what, why);
      res.set_header("WWW-Authenticate", "Bearer realm=\"payops\"");
      give(res, failure(401, "unauthorized", why));
      return;
    }
    if (!own_origin(req)) {
      commands.refused(who->user, req.path, what, "it came from a page of another origin");
      give(res, failure(403, "forbidden", "not from a page of this console"));
      return;
    }
    if (!may(who->role, right)) {
      const std::string role(name_of(who->role));
      commands.refused(who->user, req.path, what, "the role " + role + " may not");
      give(res, failure(403, "forbidden", "the role " + role + " may not " + what));
      return;
    }
    handler(*who, req, res);
  };
}

httplib::Server::Handler Console::Impl::command(Right right, const std::string& what, Command run) {
  return guarded(
      right, what,
      [this, what, run = std::move(run)](const Identity& who, const Request& req, Response& res) {
        const std::string key = req.get_header_value("Idempotency-Key");
        const Reply reply =
            key.empty() || key.size() > kIdempotencyKeyMax
                ? failure(400, "bad_request", "a command needs an Idempotency-Key of 1 to 64 bytes")
                : kept.once(who.user + "\n" + req.path + "\n" + key, req.body,
                            SystemClock().now_ms(), [&] { return run(who, req); });
        if (!reply.refusal.empty()) commands.refused(who.user, req.path, what, reply.refusal);
        give(res, reply);
      });
}

void Console::Impl::sign_someone_in(const Request& req, Response& res) {
  std::string by = kSomebody;
  const auto refuse = [&](int status, const char* error, const std::string& why) {
    commands.refused(by, "sign-in", "sign in", why);
    res.status = status;
    res.set_content(dump(Json{{"error", error}, {"error_description", why}}), "application/json");
  };
  if (!own_origin(req)) return refuse(403, "invalid_request", "not from a page of this console");
  if (req.target.find('?') != std::string::npos) {
    return refuse(400, "invalid_request", "a password is not for an address; send a form");
  }
  const std::string grant = req.get_param_value("grant_type");
  const bool program = grant == "client_credentials";  // a user of the same file, by other names
  if (grant != "password" && !program) {
    return refuse(400, "unsupported_grant_type",
                  "grant_type must be password or client_credentials");
  }
  const std::string name = req.get_param_value(program ? "client_id" : "username");
  const auto answer =
      sign_in.check(name, req.get_param_value(program ? "client_secret" : "password"),
                    req.remote_addr, SystemClock().now_ms());
  if (answer.retry_after_ms > 0) {
    res.set_header("Retry-After", std::to_string((answer.retry_after_ms + 999) / 1000));
    return refuse(429, "invalid_grant", "too many tries; wait a little");
  }
  if (!answer.who) {
    // A name that is nobody's may be a password typed in the wrong place: it is not written down.
    if (answer.known) by = name;
    return refuse(401, "invalid_grant", "wrong name or password");
  }
  by = answer.who->user;
  if (!give_token(*answer.who, res)) {
    return refuse(500, "server_error", "a token could not be made");
  }
  commands.noted(by, "sign-in", "sign in",
                 "signed in as " + std::string(name_of(answer.who->role)));
}

bool Console::Impl::give_token(const Identity& who, Response& res) const {
  const auto token = tokens.issue(who, SystemClock().now_ms());
  if (!token) return false;
  const std::string role(name_of(who.role));
  res.set_content(dump(Json{{"access_token", *token},
                            {"token_type", "Bearer"},
                            {"expires_in", tokens.lifetime_s()},
                            {"role", role},
                            {"scope", role}}),
                  "application/json");
  return true;
}

void Console::Impl::renew(const Identity& who, Response& res) const {
  if (session_over(who, SystemClock().now_ms())) {
    give(res, failure(401, "unauthorized", "signed in too long ago; sign in again"));
  } else if (!give_token(who, res)) {
    give(res, failure(500, "internal", "a token could not be made"));
  }
}

void Console::Impl::serve_page(const Request& req, Response& res) {
  const PageFile* file = page_at(req.path);
  if (file == nullptr) {
    give(res, failure(404, "not_found", "there is nothing here"));
    return;
  }
  // All but the page itself have a hash of their bytes in their names.
  const bool named_by_hash = file->path != "/index.html";
  res.set_header("ETag", std::string(file->etag));
  res.set_header("Cache-Control", named_by_hash ? "max-age=31536000, immutable" : "no-cache");
  res.set_header("Vary", "Accept-Encoding");
  if (req.get_header_value("If-None-Match") == file->etag) {
    res.status = 304;
    return;
  }
  const bool packed = !file->gzip.empty() &&
                      req.get_header_value("Accept-Encoding").find("gzip") != std::string::npos;
  if (packed) res.set_header("Content-Encoding", "gzip");
  const std::string_view body = packed ? file->gzip : file->bytes;
  res.set_content(body.data(), body.size(), std::string(file->content_type));
}

void Console::Impl::route_reads() {
  server.Get("/api/me", guarded(Right::watch, "look",
                                [this](const Identity& who, const Request&, Response& res) {
                                  res.set_content(dump(Json{{"user", who.user},
                                                            {"role", name_of(who.role)},
                                                            {"demo", spec.simulator != nullptr},
                                                            {"ws_port", hub->port()}}),
                                                  "application/json");
                                }));
  server.Get("/api/state",
             guarded(Right::watch, "look", [this](const Identity&, const Request&, Response& res) {
               res.set_content(stream.snapshot(), "application/json");
             }));
  server.Get("/api/simulator",
             guarded(Right::watch, "look", [this](const Identity&, const Request&, Response& res) {
               if (spec.simulator == nullptr) {
                 return give(res, failure(404, "not_found", "this is no simulated world"));
               }
               res.set_content(spec.simulator->state(), "application/json");
             }));
  server.Post(
      "/api/ticket",
      guarded(Right::watch, "look", [this](const Identity& who, const Request&, Response& res) {
        const std::string ticket = tickets.issue(who, SystemClock().now_ms());
        res.set_content(dump(Json{{"ticket", ticket}, {"expires_in", kTicketS}}),
                        "application/json");
      }));
  server.Get("/openapi.json", [](const Request&, Response& res) {
    res.set_content(openapi_document(), "application/json");
  });
  server.Get("/docs", [](const Request&, Response& res) {
    res.set_content(docs_page(), "text/html; charset=utf-8");
  });
  server.Get("/docs.css", [](const Request&, Response& res) {
    res.set_content(std::string(docs_style()), "text/css; charset=utf-8");
  });
  server.Get("/healthz",
             [](const Request&, Response& res) { res.set_content("ok\n", "text/plain"); });
  server.Get("/readyz", [this](const Request&, Response& res) {
    const auto known = feed.newest();
    const int64_t now_ms = SystemClock().now_ms();
    const bool silent = now_ms - known->pulse.wall_ms > kStaleAfterMs;
    const bool ready = !silent && known->pulse.agent_state == "acting";
    const std::string why =
        silent && known->pulse.wall_ms > 0
            ? "nothing has been heard of the agent for " +
                  fixed(static_cast<double>(now_ms - known->pulse.wall_ms) / 1e3, 0) + " s"
            : known->pulse.why;
    give(res, {ready ? 200 : 503, dump(Json{{"ready", ready}, {"why", why}}), ""});
  });
  server.Get("/metrics", [this](const Request&, Response& res) {
    res.set_content(
        metrics.text(*feed.newest(), hub->counts(), server.counts(), SystemClock().now_ms()),
        "text/plain; version=0.0.4; charset=utf-8");
  });
}

Reply Console::Impl::disturb(const Identity& who, const std::string& body) {
  if (spec.simulator == nullptr) return failure(404, "not_found", "this is no simulated world");
  const Status done = spec.simulator->command(body);
  if (done) {
    commands.noted(who.user, "simulator", "disturb the simulator", body);
    return {200, dump(Json{{"result", "done"}, {"why", ""}}), ""};
  }
  return failure(done.error().code == ErrorCode::refused ? 429 : 400, "bad_request",
                 done.error().message);
}

void Console::Impl::route_commands() {
  for (const std::string verdict : {"approve", "reject"}) {
    server.Post(
        "/api/proposals/([A-Za-z0-9_-]+)/" + verdict,
        command(Right::approve, verdict, [this, verdict](const Identity& who, const Request& req) {
          return commands.answer(who, req.matches[1].str().substr(0, 64), verdict, req.body);
        }));
  }
  for (const std::string verb : {"ack", "note", "silence", "cause"}) {
    server.Post(
        "/api/incidents/([A-Za-z0-9_-]+)/" + verb,
        command(Right::operate, verb, [this, verb](const Identity& who, const Request& req) {
          return commands.care(who, req.matches[1].str().substr(0, 64), verb, req.body);
        }));
  }
  server.Post("/api/mode", command(Right::administer, "set a mode",
                                   [this](const Identity& who, const Request& req) {
                                     return commands.set_mode(who, req.body);
                                   }));
  server.Post("/api/interventions", command(Right::operate, "propose an intervention",
                                            [this](const Identity& who, const Request& req) {
                                              return commands.propose(who, req.body);
                                            }));
  server.Post("/api/simulator", command(Right::operate, "disturb the simulator",
                                        [this](const Identity& who, const Request& req) {
                                          return disturb(who, req.body);
                                        }));
  server.Post("/api/kill", command(Right::operate, "throw the kill switch",
                                   [this](const Identity& who, const Request& req) {
                                     return commands.kill(who, req.body);
                                   }));
}

void Console::Impl::route() {
  route_reads();
  route_commands();
  route_past(
      server,
      [this](Right right, const std::string& what, SignedIn handler) {
        return guarded(right, what, std::move(handler));
      },
      feed, spec.past);
  server.Post("/oauth2/token",
              [this](const Request& req, Response& res) { sign_someone_in(req, res); });
  server.Post("/api/token", guarded(Right::watch, "stay signed in",
                                    [this](const Identity& who, const Request&, Response& res) {
                                      renew(who, res);
                                    }));
  server.Get("/.*", [this](const Request& req, Response& res) { serve_page(req, res); });
  server.set_pre_routing_handler([this](const Request& req, Response&) {
    metrics.count_request();
    // Brotli at its best, which is what the library would take, costs a second a megabyte.
    auto& headers = const_cast<Request&>(req).headers;
    const bool gzip = req.get_header_value("Accept-Encoding").find("gzip") != std::string::npos;
    headers.erase("Accept-Encoding");
    if (gzip) headers.emplace("Accept-Encoding", "gzip");
    return httplib::Server::HandlerResponse::Unhandled;
  });
  server.set_post_routing_handler([this](const Request&, Response& res) {
    res.set_header("Content-Security-Policy", content_policy);
    res.set_header("X-Content-Type-Options", "nosniff");
    res.set_header("X-Frame-Options", "DENY");
    res.set_header("Referrer-Policy", "no-referrer");
    res.set_header("Cross-Origin-Opener-Policy", "same-origin");
    res.set_header("Cross-Origin-Resource-Policy", "same-origin");
    if (secure()) res.set_header("Strict-Transport-Security", "max-age=31536000");
    res.set_header("Permissions-Policy", "camera=(), microphone=(), geolocation=()");
    if (!res.has_header("Cache-Control")) res.set_header("Cache-Control", "no-store");
  });
}

Status Console::Impl::open_hub() {
  HubOptions options;
  options.bind = spec.config.bind;
  options.port = static_cast<uint16_t>(spec.config.ws_port);
  options.origins = origins;
  options.tls_cert = spec.config.tls_cert;
  options.tls_key = spec.config.tls_key;
  options.clients_max = static_cast<std::size_t>(spec.config.clients_max);
  spec.adjust_hub(options);
  HubSource source;
  source.admit = [this](const std::string& ticket) -> HubSource::Guest {
    auto who = tickets.use(ticket, SystemClock().now_ms());
    if (!who) return {};
    return {.still_welcome = [this, who = std::move(*who)] {
      return sign_in.still(who) && !session_over(who, SystemClock().now_ms());
    }};
  };
  source.refused = [this](const char* why) { commands.refused(kSomebody, "/live", "watch", why); };
  source.hello = [this] { return stream.hello(); };
  source.snapshot = [this] { return stream.snapshot(); };
  source.delta = [this] { return stream.delta(); };
  source.heartbeat = [this] { return stream.heartbeat(); };
  std::string error;
  hub = Hub::start(std::move(options), std::move(source), error);
  if (hub == nullptr) return fail(ErrorCode::unavailable, error);
  return {};
}

Status Console::Impl::open() {
  const ConsoleConfig& config = spec.config;
  FrontOptions options;
  options.bind = config.bind;
  options.port = static_cast<uint16_t>(config.http_port);
  options.tls_cert = config.tls_cert;
  options.tls_key = config.tls_key;
  if (Status opened = server.open(std::move(options)); !opened) {
    if (opened.error().code == ErrorCode::config) {
      return fail(ErrorCode::config, "console: " + opened.error().message);
    }
    return fail(ErrorCode::unavailable,
                "the console's HTTP port " + std::to_string(config.http_port) + " on " +
                    config.bind + " cannot be used: " + opened.error().message +
                    "; console.http_port and console.ws_port choose others, --no-console goes "
                    "without");
  }
  origins = spec.config.origins;
  if (origins.empty()) {
    for (const char* name : {"localhost", "127.0.0.1"}) {
      origins.push_back((secure() ? "https://" : "http://") + std::string(name) + ":" +
                        std::to_string(server.port()));
    }
  }
  if (Status opened = open_hub(); !opened) return opened;
  std::string sockets;
  for (const std::string& origin : origins) {
    const bool tls = origin.rfind("https", 0) == 0;
    const std::size_t host = tls ? 8 : 7;
    sockets += (tls ? " wss://" : " ws://") + origin.substr(host, origin.find(':', host) - host) +
               ":" + std::to_string(hub->port());
  }
  content_policy =
      "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
      "font-src 'self'; manifest-src 'self'; connect-src 'self'" +
      sockets + "; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";
  route();
  server.serve();
  return {};
}

Console::Console(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Result<std::unique_ptr<Console>> Console::start(ConsoleSpec spec, Feed& feed,
                                                VerdictSink& verdicts) {
  if (auto users = load_users(spec.config.users_file); !users) {
    return tl::make_unexpected(users.error());
  } else if (users->empty()) {
    spec.on_note("the console has no users yet: payops users add NAME --role admin --file " +
                 spec.config.users_file);
  }
  if (!spec.token_key.empty() && spec.token_key.size() < kTokenKeyMin) {
    return fail(ErrorCode::config, "PAYOPS_CONSOLE_KEY must have at least 32 bytes");
  }
  std::string token_key = spec.token_key.empty() ? random_bytes(32) : spec.token_key;
  auto impl = std::make_unique<Impl>(std::move(spec), feed, verdicts, std::move(token_key));
  if (Status opened = impl->open(); !opened) return tl::make_unexpected(opened.error());
  return std::make_unique<Console>(std::move(impl));
}

Console::~Console() {
  impl_->server.close();
  impl_->hub.reset();
}

uint16_t Console::http_port() const { return impl_->server.port(); }
uint16_t Console::ws_port() const { return impl_->hub->port(); }
std::string Console::address() const {
  const std::string& bind = impl_->spec.config.bind;
  const bool local = bind == "127.0.0.1" || bind == "0.0.0.0" || bind == "localhost";
  return (impl_->secure() ? "https://" : "http://") + (local ? std::string("localhost") : bind) +
         ":" + std::to_string(impl_->server.port());
}
HubCounts Console::hub() const { return impl_->hub->counts(); }

}  // namespace payops::api
