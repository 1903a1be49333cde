#include "payops/notify/dispatcher.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <condition_variable>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "payops/core/json_fields.h"
#include "payops/core/text.h"

namespace payops::notify {
namespace {

Status cannot_write(const std::string& file) {
  return fail_retryable(ErrorCode::unavailable,
                        file + " cannot be written: " + std::strerror(errno));
}

bool write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = write(fd, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}

}  // namespace

Result<Journal> load_journal(const std::string& file) {
  const auto text = read_file(file);
  if (!text) {
    std::error_code error;
    if (!std::filesystem::exists(file, error) && !error) return Journal{};
    return tl::make_unexpected(text.error());
  }
  auto journal = from_json<Journal>(Json::parse(*text, nullptr, false));
  if (!journal) {
    return fail(ErrorCode::corrupt,
                file + " is no journal of payops notify: " + journal.error().message +
                    "; moved away, it starts at the topic's end");
  }
  return journal;
}

Status save_journal(const std::string& file, const Journal& journal) {
  const std::string fresh = file + ".new";
  const int fd = open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0) return cannot_write(fresh);
  const bool written = write_all(fd, dump(to_json(journal)) + "\n") && fsync(fd) == 0;
  const int reason = errno;
  close(fd);
  errno = reason;
  if (!written || rename(fresh.c_str(), file.c_str()) != 0) return cannot_write(file);
  const std::string folder = std::filesystem::path(file).parent_path().string();
  const int dir = open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (dir < 0) return cannot_write(folder);
  const bool synced = fsync(dir) == 0;
  close(dir);
  return synced ? Status{} : cannot_write(folder);
}

namespace {

// A channel and its thread: one message at a time goes in, one delivery comes out.
class Worker {
 public:
  explicit Worker(std::unique_ptr<Channel> channel)
      : channel_(std::move(channel)), thread_([this] { work(); }) {}
  ~Worker() { (void)finish(); }
  // Waits for the delivery under way, if any, and gives what became of it; the last call.
  std::optional<Delivery> finish() {
    {
      const std::lock_guard lock(lock_);
      over_ = true;
    }
    changed_.notify_all();
    if (thread_.joinable()) thread_.join();
    return std::exchange(done_, std::nullopt);
  }
  // REQUIRES: idle().
  void give(Message message) {
    {
      const std::lock_guard lock(lock_);
      job_ = std::move(message);
      busy_ = true;
    }
    changed_.notify_all();
  }
  [[nodiscard]] bool idle() {
    const std::lock_guard lock(lock_);
    return !busy_;
  }
  [[nodiscard]] std::optional<Delivery> take() {
    const std::lock_guard lock(lock_);
    if (!done_) return std::nullopt;
    busy_ = false;
    return std::exchange(done_, std::nullopt);
  }

 private:
  void work() {
    for (;;) {
      Message message;
      {
        std::unique_lock lock(lock_);
        changed_.wait(lock, [&] { return over_ || job_; });
        if (over_) return;
        message = std::move(*job_);
        job_.reset();
      }
      Delivery delivery = channel_->deliver(message);
      const std::lock_guard lock(lock_);
      done_ = std::move(delivery);
    }
  }
  std::unique_ptr<Channel> channel_;
  std::mutex lock_;
  std::condition_variable changed_;
  std::optional<Message> job_;
  std::optional<Delivery> done_;
  bool busy_ = false;
  bool over_ = false;
  std::thread thread_;  // last: it uses all of the above
};

std::map<std::string, Severity> desks_of(const std::map<std::string, NamedChannel>& channels) {
  std::map<std::string, Severity> desks;
  for (const auto& [name, channel] : channels) desks[name] = channel.min_severity;
  return desks;
}

}  // namespace

struct Dispatcher::Impl {
  std::string file;
  Journal journal;  // all but the pager's state, which is copied in when it is written
  Pager pager;
  Note on_delivery;
  std::map<std::string, std::unique_ptr<Worker>> workers;
  int64_t now_ms = 0;               // of the last turn
  bool moved = false;               // the place in the topic is not written yet
  uint64_t written = ~uint64_t{0};  // revision of the pager on disk

  void settle(const std::string& name, const Delivery& delivery);
  [[nodiscard]] Status write_down();
};

Dispatcher::Dispatcher(std::map<std::string, NamedChannel> channels, NotifyConfig config,
                       std::string currency, std::string file, Journal journal, Note on_delivery)
    : impl_(new Impl{.file = std::move(file),
                     .journal = journal,
                     .pager = Pager(std::move(config), desks_of(channels), std::move(currency),
                                    std::move(journal.pager)),
                     .on_delivery = std::move(on_delivery),
                     .workers = {}}) {
  for (auto& [name, channel] : channels) {
    impl_->workers[name] = std::make_unique<Worker>(std::move(channel.channel));
  }
}

Dispatcher::~Dispatcher() {
  for (auto& [name, worker] : impl_->workers) {
    if (const auto delivery = worker->finish()) impl_->settle(name, *delivery);
  }
  (void)impl_->write_down();  // where that fails, what was said is said again
}

void Dispatcher::Impl::settle(const std::string& name, const Delivery& delivery) {
  on_delivery(name, pager.state().desks.at(name).in_hand, delivery);
  pager.settle(name, delivery, now_ms);
}

Status Dispatcher::Impl::write_down() {
  if (!moved && written == pager.revision()) return {};
  journal.pager = pager.state();
  if (Status saved = save_journal(file, journal); !saved) return saved;
  moved = false;
  written = pager.revision();
  return {};
}

void Dispatcher::take(const Incident& incident, int64_t now_ms, int64_t silent_for_ms) {
  impl_->pager.take(incident, now_ms, silent_for_ms);
}

void Dispatcher::read_to(const std::string& topic_id, int32_t partition, int64_t offset) {
  Journal& journal = impl_->journal;
  if (journal.topic_id != topic_id) journal.offsets.clear();
  journal.topic_id = topic_id;
  const auto [at, fresh] = journal.offsets.try_emplace(std::to_string(partition), offset);
  impl_->moved = impl_->moved || fresh || at->second != offset;
  at->second = offset;
}

Status Dispatcher::turn(int64_t now_ms) {
  Impl& s = *impl_;
  s.now_ms = now_ms;
  for (auto& [name, worker] : s.workers) {
    if (const std::optional<Delivery> delivery = worker->take()) s.settle(name, *delivery);
  }
  std::vector<std::pair<Worker*, Message>> due;
  for (auto& [name, worker] : s.workers) {
    if (!worker->idle()) continue;
    if (const Message* message = s.pager.next(name, now_ms); message != nullptr) {
      due.emplace_back(worker.get(), *message);
    }
  }
  if (Status saved = s.write_down(); !saved) return saved;
  for (auto& [worker, message] : due) worker->give(std::move(message));
  return {};
}

bool Dispatcher::idle(int64_t now_ms) const { return impl_->pager.idle(now_ms); }
const Journal& Dispatcher::journal() const { return impl_->journal; }

}  // namespace payops::notify
