// ThreadSanitizer does not know the threads, mutexes and conditions of C11, which librdkafka uses:
// it crashes in the former and misses the order that the latter make. Here they become those of
// POSIX, which it knows and which glibc keeps in the same bytes. For the main file of a test
// program only.
#pragma once

#if defined(__SANITIZE_THREAD__)

#include <errno.h>
#include <pthread.h>
#include <threads.h>

#include <cstdint>

namespace payops::testing {
struct C11Start {
  thrd_start_t run;
  void* argument;
};
}  // namespace payops::testing

extern "C" int thrd_create(thrd_t* thread, thrd_start_t run, void* argument) {
  auto* start = new payops::testing::C11Start{run, argument};
  const auto body = [](void* raw) -> void* {
    const payops::testing::C11Start own = *static_cast<payops::testing::C11Start*>(raw);
    delete static_cast<payops::testing::C11Start*>(raw);
    return reinterpret_cast<void*>(static_cast<intptr_t>(own.run(own.argument)));
  };
  if (pthread_create(thread, nullptr, body, start) == 0) return thrd_success;
  delete start;
  return thrd_error;
}

extern "C" int thrd_join(thrd_t thread, int* result) {
  void* value = nullptr;
  if (pthread_join(thread, &value) != 0) return thrd_error;
  if (result != nullptr) *result = static_cast<int>(reinterpret_cast<intptr_t>(value));
  return thrd_success;
}

static_assert(sizeof(mtx_t) == sizeof(pthread_mutex_t) && sizeof(cnd_t) == sizeof(pthread_cond_t));

namespace payops::testing {
inline pthread_mutex_t* posix(mtx_t* mutex) { return reinterpret_cast<pthread_mutex_t*>(mutex); }
inline pthread_cond_t* posix(cnd_t* condition) {
  return reinterpret_cast<pthread_cond_t*>(condition);
}
inline int c11(int error) {
  return error == 0           ? thrd_success
         : error == ETIMEDOUT ? thrd_timedout
         : error == EBUSY     ? thrd_busy
                              : thrd_error;
}
}  // namespace payops::testing

extern "C" {
int mtx_init(mtx_t* mutex, int type) {
  pthread_mutexattr_t attributes;
  pthread_mutexattr_init(&attributes);
  if ((type & mtx_recursive) != 0) {
    pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_RECURSIVE);
  }
  const int error = pthread_mutex_init(payops::testing::posix(mutex), &attributes);
  pthread_mutexattr_destroy(&attributes);
  return payops::testing::c11(error);
}
void mtx_destroy(mtx_t* mutex) { pthread_mutex_destroy(payops::testing::posix(mutex)); }
int mtx_lock(mtx_t* mutex) {
  return payops::testing::c11(pthread_mutex_lock(payops::testing::posix(mutex)));
}
int mtx_trylock(mtx_t* mutex) {
  return payops::testing::c11(pthread_mutex_trylock(payops::testing::posix(mutex)));
}
int mtx_unlock(mtx_t* mutex) {
  return payops::testing::c11(pthread_mutex_unlock(payops::testing::posix(mutex)));
}
int cnd_init(cnd_t* condition) {
  return payops::testing::c11(pthread_cond_init(payops::testing::posix(condition), nullptr));
}
void cnd_destroy(cnd_t* condition) { pthread_cond_destroy(payops::testing::posix(condition)); }
int cnd_signal(cnd_t* condition) {
  return payops::testing::c11(pthread_cond_signal(payops::testing::posix(condition)));
}
int cnd_broadcast(cnd_t* condition) {
  return payops::testing::c11(pthread_cond_broadcast(payops::testing::posix(condition)));
}
int cnd_wait(cnd_t* condition, mtx_t* mutex) {
  return payops::testing::c11(
      pthread_cond_wait(payops::testing::posix(condition), payops::testing::posix(mutex)));
}
int cnd_timedwait(cnd_t* condition, mtx_t* mutex, const timespec* until) {
  return payops::testing::c11(pthread_cond_timedwait(payops::testing::posix(condition),
                                                     payops::testing::posix(mutex), until));
}
}  // extern "C"

#endif
