// Takes HTTP/1 requests in and gives answers out. A request reaches the code that answers it only
// when it is here whole, and an answer is taken off its hands at once: people and programs that
// send or read slowly, or never, cost a bounded amount of memory and no thread.
//
// One thread of its own does all the reading and writing; a fixed number of others answer.
// C++17 and no library's names, as hub.h. Internal to api.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace payops::api {

struct FrontOptions {
  std::string bind = "127.0.0.1";  // an address
  uint16_t port = 0;               // 0: any free one
  std::string tls_cert;            // PEM files; both or neither
  std::string tls_key;
  std::size_t workers = 16;
  // One more, and the one that has waited longest for its request, or for its next, makes room.
  std::size_t connections_max = 256;
  std::size_t head_bytes_max = 16U << 10;
  std::size_t body_bytes_max = 64U << 10;
  // While more than this waits to be taken by its readers, no further request is answered.
  std::size_t waiting_bytes_max = 64U << 20;
  int request_ms = 10'000;  // from a connection's or a request's beginning until it is here whole
  int idle_ms = 5'000;      // between two requests of a connection
  int take_ms = 30'000;     // for an answer to be taken
};

// One request as it came, head and body; a body larger than the limit is left out.
struct FrontRequest {
  std::string bytes;
  std::string address;  // of who asks
  int port = 0;
};

struct FrontAnswer {
  std::string bytes;
  bool last = false;  // the connection ends with it
};

struct FrontCounts {
  uint64_t connections = 0;  // now
  uint64_t waiting = 0;      // requests that are whole and have no thread yet, now
  uint64_t made_room = 0;    // closed for others while they waited
  uint64_t too_slow = 0;     // closed at a deadline
};

class Front {
 public:
  // Called in several threads at a time; must not throw.
  using Answerer = std::function<FrontAnswer(const FrontRequest&)>;
  // Listens when it returns, and lets wait who comes; null with the reason in `error`, in a
  // sentence, when it cannot.
  [[nodiscard]] static std::unique_ptr<Front> open(FrontOptions options, Answerer answerer,
                                                   std::string& error);
  void serve();  // once
  ~Front();      // requests that are being answered are waited for
  [[nodiscard]] uint16_t port() const;
  [[nodiscard]] FrontCounts counts() const;  // any thread

  struct Impl;
  explicit Front(std::unique_ptr<Impl> impl);

 private:
  std::unique_ptr<Impl> impl_;
};

}  // namespace payops::api
