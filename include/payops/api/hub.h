// The WebSocket side of our pages: everyone who watches is sent one stream of messages, and what is
// for them alone; nobody who reads slowly holds up the rest. It knows nothing of what the messages
// say.
//
// One thread of its own does all the work; the source's functions are called in it, one at a time.
// This header is C++17 and names no library: the implementation is the one place that does not
// compile as C++20.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace payops::api {

struct HubOptions {
  std::string bind = "127.0.0.1";
  uint16_t port = 8765;  // 0: any free one
  std::string tls_cert;  // PEM files; both or neither
  std::string tls_key;
  std::vector<std::string> origins;  // exactly these may connect, as browsers send them
  std::size_t clients_max = 256;
  int tick_ms = 100;  // how often what has changed is sent at most
  int heartbeat_ms = 1000;
  // Of what waits for one client, beyond the size of a snapshot: above the first it gets no more
  // until it has read what there is, and then a snapshot; above the second it is disconnected.
  std::size_t lag_bytes = 1U << 20;
  std::size_t close_bytes = 4U << 20;
  int lag_max_ms = 30'000;    // so long a client may lag
  int send_buffer_bytes = 0;  // of the socket; 0: as the system sets it
};

// A message for the clients of one name.
struct Addressed {
  std::string to;
  std::string text;
};

// Where the messages come from. What is empty is not sent.
struct HubSource {
  // Whether whoever was let in may still watch; asked at every heartbeat.
  using StillWelcome = std::function<bool()>;
  struct Guest {
    StillWelcome still_welcome;
    std::string name{};  // what is addressed to it is for them
  };
  // Null `still_welcome` for a ticket that is not good; it is used up by asking.
  std::function<Guest(const std::string& ticket)> admit;
  std::function<void(const char* why)> refused = [](const char*) {};
  std::function<std::string()> hello;
  // The whole state as of the last delta.
  std::function<std::string()> snapshot;
  // What has changed since the last call, or empty.
  std::function<std::string()> delta;
  std::function<std::string()> heartbeat;
  // What came for some since the last call; who lags misses it and gets a snapshot.
  std::function<std::vector<Addressed>()> addressed = [] { return std::vector<Addressed>(); };
};

struct HubCounts {
  uint64_t clients = 0;  // connected now
  uint64_t accepted = 0;
  uint64_t refused = 0;  // origin, ticket, subprotocol, path, or too many
  uint64_t snapshots = 0;
  uint64_t lagged = 0;  // fell behind and got a snapshot instead
  uint64_t closed_slow = 0;
  uint64_t closed_talking = 0;    // sent something
  uint64_t closed_unwelcome = 0;  // may no longer watch
};

class Hub {
 public:
  // Listens when it returns; null with the reason in `error`, in a sentence, when it cannot.
  [[nodiscard]] static std::unique_ptr<Hub> start(HubOptions options, HubSource source,
                                                  std::string& error);
  ~Hub();  // tells everyone that it goes away, and ends the thread
  [[nodiscard]] uint16_t port() const;
  [[nodiscard]] HubCounts counts() const;  // any thread

  struct Impl;
  explicit Hub(std::unique_ptr<Impl> impl);

 private:
  std::unique_ptr<Impl> impl_;
};

}  // namespace payops::api
