#include "http_server.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace payops::api {
namespace {

// A request that is here whole, and what is written in answer.
class Exchange final : public httplib::Stream {
 public:
  explicit Exchange(const FrontRequest& request) : request_(request) {}
  [[nodiscard]] bool is_readable() const override { return at_ < request_.bytes.size(); }
  [[nodiscard]] bool is_writable() const override { return true; }
  ssize_t read(char* to, size_t size) override {
    const std::size_t count = std::min(size, request_.bytes.size() - at_);
    std::memcpy(to, request_.bytes.data() + at_, count);
    at_ += count;
    return static_cast<ssize_t>(count);
  }
  ssize_t write(const char* from, size_t size) override {
    answer.append(from, size);
    return static_cast<ssize_t>(size);
  }
  void get_remote_ip_and_port(std::string& ip, int& port) const override {
    ip = request_.address;
    port = request_.port;
  }
  void get_local_ip_and_port(std::string& ip, int& port) const override {
    ip.clear();
    port = 0;
  }
  [[nodiscard]] socket_t socket() const override { return INVALID_SOCKET; }

  std::string answer;

 private:
  const FrontRequest& request_;
  std::size_t at_ = 0;
};

}  // namespace

void give(httplib::Response& res, const Reply& reply) {
  res.status = reply.status;
  res.set_content(reply.body, "application/json");
}

HttpServer::HttpServer() {
  set_payload_max_length(kBodyBytesMax);
  set_keep_alive_timeout(FrontOptions().idle_ms / 1000);
  set_error_handler([](const httplib::Request&, httplib::Response& res) {
    if (!res.body.empty()) return;
    const int status = res.status;
    const char* error = status == 413 ? "too_large" : status == 404 ? "not_found" : "error";
    give(res, failure(status, error,
                      status == 413 ? "at most 64 KiB" : "status " + std::to_string(status)));
  });
  set_exception_handler([](const httplib::Request&, httplib::Response& res, std::exception_ptr) {
    give(res, failure(500, "internal", "unexpected"));
  });
}

FrontAnswer HttpServer::answer(const FrontRequest& request) {
  Exchange exchange(request);
  bool closed = false;
  bool good = false;
  try {
    good = process_request(exchange, false, closed, [](httplib::Request&) {});
  } catch (const std::exception&) {  // of the library, in parsing
    exchange.answer.clear();
  }
  return {std::move(exchange.answer), !good || closed};
}

Status HttpServer::open(FrontOptions options) {
  const bool secure = !options.tls_cert.empty();
  options.body_bytes_max = kBodyBytesMax;
  std::string error;
  front_ = Front::open(
      std::move(options), [this](const FrontRequest& request) { return answer(request); }, error);
  if (front_ != nullptr) return {};
  const bool certificate = secure && error.rfind("the certificate", 0) == 0;
  return fail(certificate ? ErrorCode::config : ErrorCode::unavailable, std::move(error));
}

void HttpServer::serve() { front_->serve(); }

void HttpServer::close() { front_.reset(); }

}  // namespace payops::api
