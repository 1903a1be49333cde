// The hot path's memory: a poll hands out views and asks the heap for nothing.
#include <doctest/doctest.h>

#include <cstdlib>
#include <new>

#include "payops/streaming/consumer.h"
#include "payops/streaming/development_broker.h"
#include "payops/streaming/event_producer.h"

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)

namespace {
thread_local uint64_t allocations = 0;  // by operator new, on this thread
}

void* operator new(std::size_t size) {
  ++allocations;
  if (void* memory = std::malloc(size)) return memory;
  throw std::bad_alloc();
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

namespace payops::streaming {
namespace {

TEST_CASE("polling allocates nothing, whatever comes") {
  auto broker = DevelopmentBroker::start();
  REQUIRE(broker);
  StreamingConfig config;
  config.bootstrap = (*broker)->bootstrap();
  auto producer = EventProducer::open(config);
  REQUIRE(producer);
  for (int i = 0; i < 20'000; ++i) {
    REQUIRE((*producer)->send("payments.transactions", "", "an attempt"));
  }
  REQUIRE((*producer)->flush(10'000));
  auto consumer = Consumer::open(config, {"payments.transactions"}, 500);
  REQUIRE(consumer);
  const auto ends = (*consumer)->watermarks();
  REQUIRE(ends);
  REQUIRE((*consumer)->assign(beginnings(*ends)));
  std::size_t read = 0;
  const uint64_t before = allocations;
  for (int polls = 0; read < 20'000 && polls < 1000; ++polls) {
    read += (*consumer)->poll(20).records.size();
  }
  CHECK(allocations == before);
  CHECK(read == 20'000);
}

}  // namespace
}  // namespace payops::streaming

#endif
