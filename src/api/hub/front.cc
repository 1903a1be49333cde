#include "front.h"

#include <fcntl.h>

#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <set>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#define ASIO_STANDALONE
#include <asio.hpp>
#include <asio/ssl.hpp>

#include "request_head.h"
#include "tls.h"

namespace payops::api {
namespace {

using Tcp = asio::ip::tcp;
using Steady = std::chrono::steady_clock;
using Millis = std::chrono::milliseconds;

constexpr Millis kSweep{100};         // how often deadlines are looked at
constexpr Millis kLeave{1000};        // for the other side to read the last answer
constexpr Millis kGrace{250};         // a connection that waits has so long before it makes room
constexpr Millis kAcceptAgain{100};   // after accepting failed, as when files run out
constexpr std::size_t kChunk = 8192;  // bytes read at a time

// A fixed number of threads. What waits is bounded by who hands it in.
class Workers {
 public:
  explicit Workers(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) threads_.emplace_back([this] { work(); });
  }
  ~Workers() { finish(); }
  void run(std::function<void()> task) {
    {
      const std::lock_guard<std::mutex> lock(lock_);
      tasks_.push_back(std::move(task));
    }
    changed_.notify_one();
  }
  void finish() {
    {
      const std::lock_guard<std::mutex> lock(lock_);
      over_ = true;
      tasks_.clear();
    }
    changed_.notify_all();
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
  }
  std::size_t waiting() {
    const std::lock_guard<std::mutex> lock(lock_);
    return tasks_.size();
  }

 private:
  void work() {
    for (;;) {
      std::function<void()> task;
      {
        std::unique_lock<std::mutex> lock(lock_);
        changed_.wait(lock, [&] { return over_ || !tasks_.empty(); });
        if (over_) return;
        task = std::move(tasks_.front());
        tasks_.pop_front();
      }
      task();
    }
  }
  std::mutex lock_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> tasks_;
  std::vector<std::thread> threads_;
  bool over_ = false;
};

const char* phrase(int status) {
  return status == 411   ? "Length Required"
         : status == 431 ? "Request Header Fields Too Large"
                         : "Bad Request";
}

std::string refusal(const RequestEnd& end) {
  const std::string body = std::string(R"({"error":"bad_request","detail":")") + end.why + "\"}";
  return "HTTP/1.1 " + std::to_string(end.status) + " " + phrase(end.status) +
         "\r\nContent-Type: application/json\r\nX-Content-Type-Options: nosniff\r\n"
         "Connection: close\r\nContent-Length: " +
         std::to_string(body.size()) + "\r\n\r\n" + body;
}

}  // namespace

// What there is to a front whatever its transport.
struct Front::Impl {
  FrontOptions options;
  Answerer answerer;
  asio::io_context io;
  Tcp::acceptor acceptor{io};
  asio::steady_timer sweep_timer{io}, accept_timer{io};
  std::shared_ptr<asio::ssl::context> tls;
  std::size_t bytes_waiting = 0;  // of answers
  std::atomic<uint64_t> connections{0}, made_room{0}, too_slow{0};
  uint16_t port = 0;
  std::unique_ptr<Workers> workers;
  std::thread thread;

  virtual ~Impl() = default;
  virtual void begin() = 0;  // in the thread that called Front::serve
  bool listen(std::string& error);
};

bool Front::Impl::listen(std::string& error) {
  asio::error_code code;
  const auto address = asio::ip::make_address(options.bind, code);
  if (code) {
    error = "\"" + options.bind + "\" is not an address to bind to";
    return false;
  }
  const Tcp::endpoint endpoint(address, options.port);
  acceptor.open(endpoint.protocol(), code);
  if (!code) acceptor.set_option(asio::socket_base::reuse_address(true), code);
  if (!code) acceptor.bind(endpoint, code);
  if (!code) acceptor.listen(128, code);
  if (code) {
    error = code.message();
    return false;
  }
  (void)fcntl(acceptor.native_handle(), F_SETFD, FD_CLOEXEC);
  port = acceptor.local_endpoint(code).port();
  return true;
}

namespace {

template <class Stream>
class Door;

// One connection. Everything of it happens in the front's thread.
template <class Stream>
class Connection : public std::enable_shared_from_this<Connection<Stream>> {
 public:
  static constexpr bool kTls = !std::is_same_v<Stream, Tcp::socket>;

  Connection(Door<Stream>& door, Stream stream, Tcp::endpoint peer)
      : door_(door), stream_(std::move(stream)), peer_(std::move(peer)) {}

  void begin();
  void end();
  // It has sent no whole request yet, and nothing is being answered.
  [[nodiscard]] bool idle() const { return idle_; }
  [[nodiscard]] Steady::time_point since() const { return since_; }
  [[nodiscard]] bool overdue(Steady::time_point now) const { return now > deadline_; }
  void answer(FrontAnswer answer);
  void hand_over();  // what is whole, to be answered

 private:
  void await(int within_ms, bool idle);
  void read();
  void took(std::size_t count);
  void look();
  void write(std::string bytes, bool last);
  void leave();
  void drain();

  Door<Stream>& door_;
  Stream stream_;
  Tcp::endpoint peer_;
  std::string in_;
  std::string out_;
  std::array<char, kChunk> chunk_{};
  std::size_t whole_ = 0;  // bytes of in_ that are a request
  Steady::time_point since_{}, deadline_ = Steady::time_point::max();
  bool idle_ = true;
  bool over_ = false;
  bool told_to_continue_ = false;
  bool body_left_out_ = false;
};

template <class Stream>
class Door final : public Front::Impl {
 public:
  using Ptr = std::shared_ptr<Connection<Stream>>;
  void begin() override {
    accept();
    sweep();
  }
  void forget(const Ptr& connection) {
    all_.erase(connection);
    connections = all_.size();
    accept();
  }
  void accept();  // the next, if there is room or one that can make it
  void ready(const Ptr& connection);
  void taken(std::size_t bytes);

 private:
  Ptr longest_idle() const;
  void opened(Tcp::socket socket);
  void make_room();
  void sweep();
  std::set<Ptr> all_;
  bool accepting_ = false;
  std::deque<Ptr> ready_;  // whole requests that wait for others' answers to be taken
};

template <class Stream>
void Connection<Stream>::begin() {
  await(door_.options.request_ms, true);
  if constexpr (kTls) {
    stream_.async_handshake(asio::ssl::stream_base::server,
                            [self = this->shared_from_this()](const asio::error_code& code) {
                              code ? self->end() : self->read();
                            });
  } else {
    read();
  }
}

template <class Stream>
void Connection<Stream>::end() {
  if (over_) return;
  over_ = true;
  asio::error_code ignored;
  stream_.lowest_layer().close(ignored);
  door_.taken(out_.size());
  door_.forget(this->shared_from_this());
}

template <class Stream>
void Connection<Stream>::await(int within_ms, bool idle) {
  since_ = Steady::now();
  deadline_ = since_ + Millis(within_ms);
  idle_ = idle;
}

template <class Stream>
void Connection<Stream>::read() {
  if (over_) return;
  stream_.async_read_some(
      asio::buffer(chunk_),
      [self = this->shared_from_this()](const asio::error_code& code, std::size_t count) {
        code ? self->end() : self->took(count);
      });
}

template <class Stream>
void Connection<Stream>::took(std::size_t count) {
  if (over_) return;
  if (in_.empty()) await(door_.options.request_ms, true);
  in_.append(chunk_.data(), count);
  look();
}

// Is there a request?
template <class Stream>
void Connection<Stream>::look() {
  const FrontOptions& options = door_.options;
  const RequestEnd end = request_end(in_, options.head_bytes_max, options.body_bytes_max);
  switch (end.kind) {
    case RequestEnd::Kind::bad:
      write(refusal(end), true);
      return;
    case RequestEnd::Kind::whole:
      whole_ = end.bytes;
      body_left_out_ = end.body_left_out;
      idle_ = false;
      deadline_ = Steady::time_point::max();
      door_.ready(this->shared_from_this());
      return;
    case RequestEnd::Kind::more:
      break;
  }
  if (!end.wants_continue || told_to_continue_) return read();
  told_to_continue_ = true;
  static constexpr char kContinue[] = "HTTP/1.1 100 Continue\r\n\r\n";
  asio::async_write(stream_, asio::buffer(kContinue, sizeof kContinue - 1),
                    [self = this->shared_from_this()](const asio::error_code& code, std::size_t) {
                      code ? self->end() : self->read();
                    });
}

template <class Stream>
void Connection<Stream>::hand_over() {
  if (over_) return;
  FrontRequest request{in_.substr(0, whole_), peer_.address().to_string(), peer_.port()};
  in_.erase(0, whole_);
  told_to_continue_ = false;
  door_.workers->run([self = this->shared_from_this(), request = std::move(request),
                      &door = door_] {
    FrontAnswer answer = door.answerer(request);
    asio::post(door.io,
               [self, answer = std::move(answer)]() mutable { self->answer(std::move(answer)); });
  });
}

template <class Stream>
void Connection<Stream>::answer(FrontAnswer answer) {
  if (over_) return;
  write(std::move(answer.bytes), answer.last || body_left_out_);
}

template <class Stream>
void Connection<Stream>::write(std::string bytes, bool last) {
  await(door_.options.take_ms, false);
  out_ = std::move(bytes);
  door_.bytes_waiting += out_.size();
  asio::async_write(
      stream_, asio::buffer(out_),
      [self = this->shared_from_this(), last](const asio::error_code& code, std::size_t) {
        if (code || self->over_) return self->end();
        self->door_.taken(self->out_.size());
        self->out_ = std::string();
        if (last) return self->leave();
        self->await(
            self->in_.empty() ? self->door_.options.idle_ms : self->door_.options.request_ms, true);
        self->in_.empty() ? self->read() : self->look();
        self->door_.accept();
      });
}

// Says that nothing more comes and reads on for a while: closed at once, what the other side still
// sends would make its system throw the answer away.
template <class Stream>
void Connection<Stream>::leave() {
  asio::error_code ignored;
  stream_.lowest_layer().shutdown(asio::socket_base::shutdown_send, ignored);
  since_ = Steady::now();
  deadline_ = since_ + kLeave;
  idle_ = true;
  drain();
}

template <class Stream>
void Connection<Stream>::drain() {
  stream_.lowest_layer().async_wait(
      asio::socket_base::wait_read,
      [self = this->shared_from_this()](const asio::error_code& code) {
        if (code || self->over_) return self->end();
        const int fd = self->stream_.lowest_layer().native_handle();
        const auto got = ::recv(fd, self->chunk_.data(), kChunk, MSG_DONTWAIT);
        got > 0 ? self->drain() : self->end();
      });
}

template <class Stream>
void Door<Stream>::accept() {
  // While all are being answered, whoever comes waits with the system.
  if (accepting_ || (all_.size() >= options.connections_max && longest_idle() == nullptr)) return;
  accepting_ = true;
  acceptor.async_accept([this](const asio::error_code& code, Tcp::socket socket) {
    if (code == asio::error::operation_aborted) return;
    if (!code) {
      opened(std::move(socket));
      accepting_ = false;
      return accept();
    }
    make_room();
    accept_timer.expires_after(kAcceptAgain);
    accept_timer.async_wait([this](const asio::error_code& again) {
      if (again) return;
      accepting_ = false;
      accept();
    });
  });
}

template <class Stream>
void Door<Stream>::opened(Tcp::socket socket) {
  asio::error_code code;
  const Tcp::endpoint peer = socket.remote_endpoint(code);
  if (code) return;  // gone already
  (void)fcntl(socket.native_handle(), F_SETFD, FD_CLOEXEC);
  socket.set_option(Tcp::no_delay(true), code);
  if (all_.size() >= options.connections_max) make_room();
  Ptr connection;
  if constexpr (Connection<Stream>::kTls) {
    connection = std::make_shared<Connection<Stream>>(*this, Stream(std::move(socket), *tls), peer);
  } else {
    connection = std::make_shared<Connection<Stream>>(*this, std::move(socket), peer);
  }
  all_.insert(connection);
  connections = all_.size();
  connection->begin();
}

template <class Stream>
typename Door<Stream>::Ptr Door<Stream>::longest_idle() const {
  const auto before = Steady::now() - kGrace;
  Ptr longest;
  for (const Ptr& connection : all_) {
    if (!connection->idle() || connection->since() > before) continue;
    if (longest == nullptr || connection->since() < longest->since()) longest = connection;
  }
  return longest;
}

template <class Stream>
void Door<Stream>::make_room() {
  const Ptr longest = longest_idle();
  if (longest == nullptr) return;
  ++made_room;
  longest->end();
}

template <class Stream>
void Door<Stream>::ready(const Ptr& connection) {
  ready_.push_back(connection);
  taken(0);
}

template <class Stream>
void Door<Stream>::taken(std::size_t bytes) {
  bytes_waiting -= bytes;
  while (!ready_.empty() && bytes_waiting <= options.waiting_bytes_max) {
    const Ptr next = std::move(ready_.front());
    ready_.pop_front();
    next->hand_over();
  }
}

template <class Stream>
void Door<Stream>::sweep() {
  const auto now = Steady::now();
  std::vector<Ptr> late;
  for (const Ptr& connection : all_) {
    if (connection->overdue(now)) late.push_back(connection);
  }
  too_slow += late.size();
  for (const Ptr& connection : late) connection->end();
  accept();
  sweep_timer.expires_after(kSweep);
  sweep_timer.async_wait([this](const asio::error_code& code) {
    if (!code) sweep();
  });
}

}  // namespace

Front::Front(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

std::unique_ptr<Front> Front::open(FrontOptions options, Answerer answerer, std::string& error) {
  std::unique_ptr<Impl> impl;
  std::shared_ptr<asio::ssl::context> tls;
  if (options.tls_cert.empty()) {
    impl = std::make_unique<Door<Tcp::socket>>();
  } else {
    tls = tls_context(options.tls_cert, options.tls_key, error);
    if (tls == nullptr) return nullptr;
    impl = std::make_unique<Door<asio::ssl::stream<Tcp::socket>>>();
  }
  impl->tls = std::move(tls);
  impl->options = std::move(options);
  impl->answerer = std::move(answerer);
  if (!impl->listen(error)) return nullptr;
  return std::make_unique<Front>(std::move(impl));
}

void Front::serve() {
  impl_->workers = std::make_unique<Workers>(impl_->options.workers);
  impl_->begin();
  impl_->thread = std::thread([running = impl_.get()] { running->io.run(); });
}

Front::~Front() {
  if (!impl_->thread.joinable()) return;
  impl_->workers->finish();
  impl_->io.stop();
  impl_->thread.join();
}

uint16_t Front::port() const { return impl_->port; }

FrontCounts Front::counts() const {
  return {impl_->connections, impl_->workers ? impl_->workers->waiting() : 0, impl_->made_room,
          impl_->too_slow};
}

}  // namespace payops::api
