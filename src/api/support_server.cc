#include "payops/api/support_server.h"

#include <httplib.h>
#include <sodium.h>

#include <utility>

#include "chat_push.h"
#include "commands.h"
#include "http_server.h"
#include "payops/api/access.h"
#include "payops/core/check.h"
#include "payops/core/clock.h"
#include "payops/core/digest.h"
#include "payops/core/json_fields.h"
#include "payops/core/text.h"
#include "support_page.h"

namespace payops::api {
namespace {

using httplib::Request;
using httplib::Response;
using support_agent::ChatMessage;
using support_agent::DeskCommand;

constexpr std::size_t kTokenKeyMin = 32;
constexpr std::size_t kIdempotencyKeyMax = 64;

std::string random_hex(std::size_t bytes) {
  PAYOPS_CHECK(sodium_init() >= 0);
  std::string raw(bytes, '\0');
  randombytes_buf(raw.data(), raw.size());
  return to_hex(raw);
}

void give(Response& res, int status, const std::string& body) {
  res.status = status;
  if (status != 204) res.set_content(body, "application/json");
}

void give(Response& res, const Error& error) {
  int status = 500;
  const char* name = "internal";
  switch (error.code) {
    case ErrorCode::not_found:
      status = 404, name = "not_found";
      break;
    case ErrorCode::usage:
      status = 400, name = "bad_request";
      break;
    case ErrorCode::refused:
      status = 409, name = "conflict";
      break;
    case ErrorCode::unavailable:
      status = 503, name = "unavailable";
      break;
    default:
      break;
  }
  give(res, status, failure(status, name, error.message).body);
}

// A field of a JSON object that is text, or "".
std::string text_of(const Json& object, const char* key) {
  const auto it = object.find(key);
  return it != object.end() && it->is_string() ? it->get<std::string>() : "";
}

}  // namespace

struct SupportServer::Impl {
  SupportServerSpec spec;
  SupportBackend& backend;
  Tokens tokens;
  SignIn sign_in;
  ChatPush push;
  HttpServer server;
  std::string content_policy;

  Impl(SupportServerSpec s, SupportBackend& b, std::string token_key)
      : spec(std::move(s)),
        backend(b),
        tokens(std::move(token_key), spec.token_s),
        sign_in(spec.users_file),
        push(backend, [this](const Identity& who) { return sign_in.still(who); }) {}

  using Handler = std::function<void(const Identity&, const Request&, Response&)>;
  httplib::Server::Handler guarded(Right right, Handler handler);
  Status open();
  void route();
  void route_chat();
  void route_desk();
  void route_people();
  void route_push();
  [[nodiscard]] Status open_push();
  void sign_someone_in(const Request& req, Response& res);
  void say(const Identity& who, const Request& req, Response& res);
  void act(const Identity& who, DeskCommand command, int done, Response& res);
  void read(const std::string& what, const std::string& id, Response& res);
  // What belongs to a user may be read by themselves and by the desk; others are told that there
  // is none.
  void read_own(const Identity& who, const std::string& what, const std::string& id, Response& res);
};

httplib::Server::Handler SupportServer::Impl::guarded(Right right, Handler handler) {
  return [this, right, handler = std::move(handler)](const Request& req, Response& res) {
    const std::string header = req.get_header_value("Authorization");
    const std::string token = header.rfind("Bearer ", 0) == 0 ? header.substr(7) : "";
    const auto who = tokens.check(token, SystemClock().now_ms());
    const bool gone = who && !sign_in.still(*who);
    if (!who || gone) {
      res.set_header("WWW-Authenticate", "Bearer realm=\"payops\"");
      const std::string why = gone ? std::string(kGone) : who.error().message;
      return give(res, 401, failure(401, "unauthorized", why).body);
    }
    if (!may(who->role, right)) {
      return give(res, 403,
                  failure(403, "forbidden",
                          "the role " + std::string(name_of(who->role)) + " may not do that")
                      .body);
    }
    handler(*who, req, res);
  };
}

void SupportServer::Impl::sign_someone_in(const Request& req, Response& res) {
  const auto refuse = [&](int status, const char* error, const std::string& why) {
    give(res, status, dump(Json{{"error", error}, {"error_description", why}}));
  };
  if (req.target.find('?') != std::string::npos) {
    return refuse(400, "invalid_request", "a password is not for an address; send a form");
  }
  if (req.get_param_value("grant_type") != "password") {
    return refuse(400, "unsupported_grant_type", "grant_type must be password");
  }
  const int64_t now_ms = SystemClock().now_ms();
  const auto answer = sign_in.check(req.get_param_value("username"),
                                    req.get_param_value("password"), req.remote_addr, now_ms);
  if (answer.retry_after_ms > 0) {
    res.set_header("Retry-After", std::to_string((answer.retry_after_ms + 999) / 1000));
    return refuse(429, "invalid_grant", "too many tries; wait a little");
  }
  if (!answer.who) return refuse(401, "invalid_grant", "wrong name or password");
  const auto token = tokens.issue(*answer.who, now_ms);
  if (!token) return refuse(500, "server_error", token.error().message);
  const std::string role(name_of(answer.who->role));
  give(res, 200,
       dump(Json{{"access_token", *token},
                 {"token_type", "Bearer"},
                 {"expires_in", tokens.lifetime_s()},
                 {"role", role},
                 {"scope", role}}));
}

void SupportServer::Impl::say(const Identity& who, const Request& req, Response& res) {
  Json body = Json::parse(req.body, nullptr, false);
  if (!body.is_object()) return give(res, Error{ErrorCode::usage, false, "not JSON in UTF-8"});
  const std::string key = req.get_header_value("Idempotency-Key");
  if (key.size() > kIdempotencyKeyMax) {
    return give(res, Error{ErrorCode::usage, false, "an Idempotency-Key has at most 64 bytes"});
  }
  const std::string user = text_of(body, "user_id");
  if (who.role == Role::customer && user != who.user) {
    return give(res, 403, failure(403, "forbidden", "a customer speaks for themselves").body);
  }
  // The same key is the same message: repeated, it gets the same reply.
  body["message_id"] = key.empty() ? "http-" + random_hex(12)
                                   : "http-" + sha256_hex(user + "\n" + key).substr(0, 32);
  body["ts_ms"] = SystemClock().now_ms();
  if (const std::string trace = req.get_header_value("traceparent"); !trace.empty()) {
    body["traceparent"] = trace;
  }
  auto message = support_agent::parse_chat_message(dump(body));
  if (!message) return give(res, Error{ErrorCode::usage, false, message.error().message});
  push.types(message->user_id, message->session_id, "agent");
  const auto reply = backend.say(std::move(*message));
  if (!reply) return give(res, reply.error());
  give(res, 200, dump(to_json(*reply)));
}

void SupportServer::Impl::act(const Identity& who, DeskCommand command, int done, Response& res) {
  command.id = "cmd-" + random_hex(12);
  command.by = who.user;
  if (const Status acted = backend.act(std::move(command)); !acted) {
    return give(res, acted.error());
  }
  give(res, done, done == 202 ? R"({"queued":true})" : "");
}

void SupportServer::Impl::read(const std::string& what, const std::string& id, Response& res) {
  const auto text = backend.read(what, id);
  if (!text) return give(res, text.error());
  give(res, 200, *text);
}

void SupportServer::Impl::read_own(const Identity& who, const std::string& what,
                                   const std::string& id, Response& res) {
  const auto text = backend.read(what, id);
  if (!text) return give(res, text.error());
  const Json value = Json::parse(*text, nullptr, false);
  const bool own = value.is_object() && text_of(value, "user_id") == who.user;
  if (!own && !may(who.role, Right::serve)) {
    return give(res, Error{ErrorCode::not_found, false, "there is no " + what + " " + id});
  }
  give(res, 200, *text);
}

void SupportServer::Impl::route_chat() {
  server.Post("/chat/message", guarded(Right::chat, [this](const Identity& who, const Request& req,
                                                           Response& res) { say(who, req, res); }));
  server.Post("/chat/feedback",
              guarded(Right::chat, [this](const Identity& who, const Request& req, Response& res) {
                const Json body = Json::parse(req.body, nullptr, false);
                if (!body.is_object()) {
                  return give(res, Error{ErrorCode::usage, false, "not JSON"});
                }
                DeskCommand command;
                command.kind = "feedback";
                command.message_id = text_of(body, "message_id");
                command.session_id = text_of(body, "session_id");
                command.value = text_of(body, "rating");
                act(who, std::move(command), 204, res);
              }));
  server.Get("/session/([A-Za-z0-9_-]{1,128})",
             guarded(Right::chat, [this](const Identity& who, const Request& req, Response& res) {
               read_own(who, "session", req.matches[1].str(), res);
             }));
  server.Get("/ticket/([A-Za-z0-9_-]{1,64})",
             guarded(Right::chat, [this](const Identity& who, const Request& req, Response& res) {
               read_own(who, "ticket", req.matches[1].str(), res);
             }));
}

void SupportServer::Impl::route_desk() {
  server.Get("/tickets",
             guarded(Right::serve, [this](const Identity&, const Request& req, Response& res) {
               read("tickets", req.get_param_value("status"), res);
             }));
  server.Patch(
      "/ticket/([A-Za-z0-9_-]{1,64})",
      guarded(Right::serve, [this](const Identity& who, const Request& req, Response& res) {
        const Json body = Json::parse(req.body, nullptr, false);
        if (!body.is_object()) return give(res, Error{ErrorCode::usage, false, "not JSON"});
        DeskCommand command;
        command.kind = "ticket";
        command.ticket_id = req.matches[1].str();
        command.value = text_of(body, "status");
        command.text = text_of(body, "note");
        act(who, std::move(command), 204, res);
      }));
  server.Get("/desk/queue",
             guarded(Right::serve, [this](const Identity&, const Request&, Response& res) {
               read("queue", "", res);
             }));
  server.Get("/desk/figures",
             guarded(Right::manage, [this](const Identity&, const Request&, Response& res) {
               read("figures", "", res);
             }));
  server.Post("/desk/([A-Za-z0-9_-]{1,128})/(take_over|reply|hand_back)",
              guarded(Right::serve, [this](const Identity& who, const Request& req, Response& res) {
                const Json body = Json::parse(req.body, nullptr, false);
                DeskCommand command;
                command.kind = req.matches[2].str();
                command.session_id = req.matches[1].str();
                if (body.is_object()) command.text = text_of(body, "text");
                act(who, std::move(command), 204, res);
              }));
  server.Post("/notify/test",
              guarded(Right::serve, [this](const Identity& who, const Request& req, Response& res) {
                const Json body = Json::parse(req.body, nullptr, false);
                if (!body.is_object()) return give(res, Error{ErrorCode::usage, false, "not JSON"});
                DeskCommand command;
                command.kind = "notify_test";
                command.value = text_of(body, "channel");
                command.text = text_of(body, "target");
                act(who, std::move(command), 202, res);
              }));
}

void SupportServer::Impl::route_people() {
  server.Get("/user/([^/]{1,128})/export",
             guarded(Right::chat, [this](const Identity& who, const Request& req, Response& res) {
               const std::string id = req.matches[1].str();
               if (id != who.user && !may(who.role, Right::manage)) {
                 return give(res, 403, failure(403, "forbidden", "another user's data").body);
               }
               read("user", id, res);
             }));
  server.Delete(
      "/user/([^/]{1,128})",
      guarded(Right::chat, [this](const Identity& who, const Request& req, Response& res) {
        DeskCommand command;
        command.kind = "erase";
        command.user_id = req.matches[1].str();
        if (command.user_id != who.user && !may(who.role, Right::manage)) {
          return give(res, 403, failure(403, "forbidden", "another user's data").body);
        }
        act(who, std::move(command), 204, res);
      }));
}

void SupportServer::Impl::route_push() {
  server.Post("/chat/ticket",
              guarded(Right::chat, [this](const Identity& who, const Request&, Response& res) {
                if (push.port() == 0) {
                  return give(res, Error{ErrorCode::not_found, false, "there is no WebSocket"});
                }
                give(res, 200,
                     dump(Json{{"ticket", push.ticket(who)},
                               {"expires_in", kTicketS},
                               {"ws_port", push.port()}}));
              }));
  // A person begins to write: their customer sees it.
  server.Post("/desk/([A-Za-z0-9_-]{1,128})/typing",
              guarded(Right::serve, [this](const Identity&, const Request& req, Response& res) {
                const std::string session = req.matches[1].str();
                const auto text = backend.read("session", session);
                if (!text) return give(res, text.error());
                push.types(text_of(Json::parse(*text, nullptr, false), "user_id"), session,
                           "person");
                give(res, 204, "");
              }));
}

// Where the WebSocket cannot be had the page asks over HTTP.
Status SupportServer::Impl::open_push() {
  std::vector<std::string> origins = spec.origins;
  if (origins.empty()) {
    for (const char* name : {"localhost", "127.0.0.1"}) {
      origins.push_back("http://" + std::string(name) + ":" + std::to_string(server.port()));
    }
  }
  std::string sockets;
  Status opened = push.open(spec, origins);
  for (const std::string& origin : origins) {
    const std::size_t host = origin.find("://") + 3;
    if (!opened || host < 3) continue;
    sockets += (origin.starts_with("https") ? " wss://" : " ws://") +
               origin.substr(host, origin.find(':', host) - host) + ":" +
               std::to_string(push.port());
  }
  content_policy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'" +
                   sockets + "; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";
  return opened;
}

void SupportServer::Impl::route() {
  server.Post("/oauth2/token",
              [this](const Request& req, Response& res) { sign_someone_in(req, res); });
  route_chat();
  route_desk();
  route_people();
  route_push();
  const auto ready = [this](const Request&, Response& res) {
    const auto text = backend.read("ready", "");
    const Json value = text ? Json::parse(*text, nullptr, false) : Json();
    const bool good = value.is_object() && value.value("ready", false);
    give(res, good ? 200 : 503,
         text ? *text : dump(Json{{"ready", false}, {"why", text.error().message}}));
  };
  server.Get("/health", ready);
  server.Get("/readyz", ready);
  server.Get("/healthz",
             [](const Request&, Response& res) { res.set_content("ok\n", "text/plain"); });
  server.Get("/metrics", [this](const Request&, Response& res) {
    const auto text = backend.read("metrics", "");
    if (!text) return give(res, text.error());
    res.set_content(*text, "text/plain; version=0.0.4; charset=utf-8");
  });
  const auto page = [this](const char* path, std::string_view (*bytes)(), const char* type) {
    server.Get(path, [bytes, type](const Request&, Response& res) {
      const std::string_view body = bytes();
      res.set_content(body.data(), body.size(), type);
    });
  };
  page("/chat", &support_page, "text/html; charset=utf-8");
  page("/chat.js", &support_script, "text/javascript; charset=utf-8");
  page("/chat.css", &support_style, "text/css; charset=utf-8");
  page("/openapi.json", &support_openapi, "application/json");
  server.set_post_routing_handler([this](const Request&, Response& res) {
    res.set_header("Content-Security-Policy", content_policy);
    res.set_header("X-Content-Type-Options", "nosniff");
    res.set_header("Referrer-Policy", "no-referrer");
    if (!res.has_header("Cache-Control")) res.set_header("Cache-Control", "no-store");
  });
}

Status SupportServer::Impl::open() {
  FrontOptions options;
  options.bind = spec.bind;
  options.port = static_cast<uint16_t>(spec.port);
  options.connections_max = 768;  // a message waits for its reply
  if (Status opened = server.open(std::move(options)); !opened) {
    return fail(ErrorCode::unavailable,
                "the support agent's HTTP port " + std::to_string(spec.port) + " on " + spec.bind +
                    " cannot be used: " + opened.error().message +
                    "; http.port or --http-port chooses another, --no-http goes without");
  }
  if (const Status pushes = open_push(); !pushes) {
    spec.on_note(pushes.error().message + ": the page at /chat asks over HTTP instead");
  }
  route();
  server.serve();
  return {};
}

SupportServer::SupportServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Result<std::unique_ptr<SupportServer>> SupportServer::start(SupportServerSpec spec,
                                                            SupportBackend& backend) {
  if (const auto users = load_users(spec.users_file); !users) {
    return tl::make_unexpected(users.error());
  } else if (users->empty()) {
    spec.on_note("nobody may sign in to chat yet: payops users add NAME --role customer --file " +
                 spec.users_file);
  }
  if (!spec.token_key.empty() && spec.token_key.size() < kTokenKeyMin) {
    return fail(ErrorCode::config, "PAYOPS_CONSOLE_KEY must have at least 32 bytes");
  }
  std::string token_key = spec.token_key.empty() ? random_hex(32) : spec.token_key;
  auto impl = std::make_unique<Impl>(std::move(spec), backend, std::move(token_key));
  if (Status opened = impl->open(); !opened) return tl::make_unexpected(opened.error());
  return std::make_unique<SupportServer>(std::move(impl));
}

SupportServer::~SupportServer() { impl_->server.close(); }

uint16_t SupportServer::port() const { return impl_->server.port(); }
std::string SupportServer::address() const {
  const std::string& bind = impl_->spec.bind;
  const bool local = bind == "127.0.0.1" || bind == "0.0.0.0";
  return "http://" + (local ? std::string("localhost") : bind) + ":" +
         std::to_string(impl_->server.port());
}

}  // namespace payops::api
