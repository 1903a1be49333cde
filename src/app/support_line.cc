#include "support_line.h"

#include <algorithm>
#include <chrono>
#include <iterator>

namespace payops::app {
namespace {
constexpr std::size_t kToldMax = 1024;  // the oldest goes: who missed it reads the conversation
}  // namespace

using support_agent::ChatMessage;
using support_agent::ChatReply;
using support_agent::CommandResult;
using support_agent::DeskCommand;

Status SupportLine::await_answer(const Handle& call) {
  std::unique_lock lock(lock_);
  if (closed_) return fail_retryable(ErrorCode::unavailable, "the agent has stopped");
  if (waiting_.size() >= waiting_max_) {
    return fail_retryable(ErrorCode::unavailable, "too many messages wait; try again soon");
  }
  waiting_.push_back(call);
  arrived_.notify_all();
  done_.wait_for(lock, std::chrono::milliseconds(patience_ms_),
                 [&] { return call->done || closed_; });
  if (call->done) return {};
  std::erase(waiting_, call);
  return fail_retryable(ErrorCode::unavailable, "no answer came in time");
}

Result<ChatReply> SupportLine::say(ChatMessage message) {
  auto call = std::make_shared<Call>();
  call->id = message.message_id;
  call->message = std::move(message);
  if (Status answered = await_answer(call); !answered) {
    return tl::make_unexpected(answered.error());
  }
  return call->reply;
}

Status SupportLine::act(DeskCommand command) {
  auto call = std::make_shared<Call>();
  call->id = command.id;
  call->command = std::move(command);
  if (Status answered = await_answer(call); !answered) return answered;
  if (!call->text) return tl::make_unexpected(call->text.error());
  return {};
}

Result<std::string> SupportLine::read(const std::string& what, const std::string& id) {
  auto call = std::make_shared<Call>();
  call->what = what;
  call->of = id;
  if (Status answered = await_answer(call); !answered) {
    return tl::make_unexpected(answered.error());
  }
  return call->text;
}

SupportLine::Work SupportLine::take(std::size_t most) {
  const std::lock_guard lock(lock_);
  Work work;
  while (!waiting_.empty() && work.messages.size() + work.commands.size() < most) {
    const auto next = std::find_if(waiting_.begin(), waiting_.end(),
                                   [](const Handle& call) { return call->what.empty(); });
    if (next == waiting_.end()) break;
    const Handle call = *next;
    const bool erases = call->command && call->command->kind == "erase";
    const bool alone = work.messages.empty() && work.commands.empty();
    if (erases && !alone) break;
    waiting_.erase(next);
    under_way_.emplace(call->id, call);
    if (call->message) work.messages.push_back(*call->message);
    if (call->command) work.commands.push_back(*call->command);
    if (erases) break;
  }
  return work;
}

bool SupportLine::waiting() const {
  const std::lock_guard lock(lock_);
  return !waiting_.empty();
}

void SupportLine::await(int64_t timeout_ms) const {
  std::unique_lock lock(lock_);
  arrived_.wait_for(lock, std::chrono::milliseconds(timeout_ms), [&] { return !waiting_.empty(); });
}

void SupportLine::answer_reads(const Reader& reader) {
  std::vector<Handle> reads;
  {
    const std::lock_guard lock(lock_);
    for (auto it = waiting_.begin(); it != waiting_.end();) {
      const bool read = !(*it)->what.empty();
      if (read) reads.push_back(*it);
      it = read ? waiting_.erase(it) : it + 1;
    }
  }
  for (const Handle& call : reads) {
    Result<std::string> text = reader(call->what, call->of);
    const std::lock_guard lock(lock_);
    call->text = std::move(text);
    finish(call);
  }
}

void SupportLine::finish(const Handle& call) {
  call->done = true;
  done_.notify_all();
}

void SupportLine::answer(const ChatReply& reply) {
  const std::lock_guard lock(lock_);
  const auto [first, last] = under_way_.equal_range(reply.in_reply_to);
  for (auto it = first; it != last; ++it) {
    it->second->reply = reply;
    finish(it->second);
  }
  under_way_.erase(first, last);
  if (told_.size() >= kToldMax) told_.pop_front();
  told_.push_back(reply);
}

std::vector<ChatReply> SupportLine::take_replies() {
  const std::lock_guard lock(lock_);
  std::vector<ChatReply> taken(std::make_move_iterator(told_.begin()),
                               std::make_move_iterator(told_.end()));
  told_.clear();
  return taken;
}

void SupportLine::refuse(const std::string& message_id, const Error& error) {
  const std::lock_guard lock(lock_);
  const auto [first, last] = under_way_.equal_range(message_id);
  for (auto it = first; it != last; ++it) {
    it->second->reply = tl::make_unexpected(error);
    it->second->text = tl::make_unexpected(error);
    finish(it->second);
  }
  under_way_.erase(first, last);
}

void SupportLine::answer(const CommandResult& result) {
  const std::lock_guard lock(lock_);
  const auto [first, last] = under_way_.equal_range(result.id);
  for (auto it = first; it != last; ++it) {
    const bool missing = result.problem.starts_with("there is no ");
    it->second->text =
        result.problem.empty()
            ? Result<std::string>(std::string())
            : fail(missing ? ErrorCode::not_found : ErrorCode::usage, result.problem);
    finish(it->second);
  }
  under_way_.erase(first, last);
}

void SupportLine::close() {
  const std::lock_guard lock(lock_);
  closed_ = true;
  done_.notify_all();
}

}  // namespace payops::app
