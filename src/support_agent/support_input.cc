#include "payops/support_agent/support_input.h"

#include "payops/core/codec.h"

namespace payops::support_agent {
namespace {

// A customer's message, or a desk command about them, as it lies in the block.
struct Sealed {
  std::string user_id;
  std::string id;
  std::string bytes;
  static constexpr auto fields() {
    return std::make_tuple(field("user_id", &Sealed::user_id), field("id", &Sealed::id),
                           field("bytes", &Sealed::bytes));
  }
};

struct Block {
  uint32_t version = 1;
  uint64_t step = 0;
  int64_t at_ms = 0;
  bool stopping = false;
  std::string build, config, model_hash;
  bool articles_changed = false;
  std::vector<FaqArticle> articles;
  std::vector<Sealed> messages;
  std::vector<Incident> incidents;
  std::vector<std::pair<std::string, std::string>> actions;
  std::vector<Sealed> commands;
  std::vector<ChatDeadLetter> dead_letters;
  std::string entropy;
  std::vector<int64_t> ticks;
  std::vector<SendResult> results;
  static constexpr auto fields() {
    using B = Block;
    return std::make_tuple(
        field("version", &B::version), field("step", &B::step), field("at_ms", &B::at_ms),
        field("stopping", &B::stopping), field("build", &B::build), field("config", &B::config),
        field("model_hash", &B::model_hash), field("articles_changed", &B::articles_changed),
        field("articles", &B::articles), field("messages", &B::messages),
        field("incidents", &B::incidents), field("actions", &B::actions),
        field("commands", &B::commands), field("dead_letters", &B::dead_letters),
        field("entropy", &B::entropy), field("ticks", &B::ticks), field("results", &B::results));
  }
};
constexpr uint32_t kBlockVersion = 1;

// Commands that name no user are sealed as of this one, whose key nobody asks to destroy.
constexpr std::string_view kDesk =
    "\x01"
    "desk";

std::string owner_of(const DeskCommand& command) {
  // An erasure must be readable after it has destroyed the key.
  const bool erase = command.kind == "erase";
  return command.user_id.empty() || erase ? std::string(kDesk) : command.user_id;
}

}  // namespace

std::string encode_input(const SupportInput& input, Vault& vault) {
  Block block{.version = kBlockVersion,
              .step = input.step,
              .at_ms = input.at_ms,
              .stopping = input.stopping,
              .build = input.build,
              .config = input.config,
              .model_hash = input.model_hash,
              .articles_changed = input.articles_changed,
              .articles = input.articles,
              .messages = {},
              .incidents = input.incidents,
              .actions = input.actions,
              .commands = {},
              .dead_letters = input.dead_letters,
              .entropy = input.entropy,
              .ticks = input.ticks,
              .results = input.results};
  for (const ArrivedMessage& m : input.messages) {
    const std::string& user = m.message.user_id;
    const std::string& id = m.message.message_id;
    block.messages.push_back({user, id, vault.seal(user, "in|" + id, encode(m))});
  }
  for (const DeskCommand& c : input.commands) {
    const std::string user = owner_of(c);
    block.commands.push_back({user, c.id, vault.seal(user, "desk|" + c.id, encode(c))});
  }
  return encode(block);
}

Result<OpenedInput> decode_input(std::string_view bytes, Vault& vault) {
  auto block = decode<Block>(bytes);
  if (!block) return tl::make_unexpected(block.error());
  if (block->version != kBlockVersion) {
    return fail(ErrorCode::corrupt, "its input is of version " + std::to_string(block->version));
  }
  OpenedInput opened;
  opened.input = {.step = block->step,
                  .at_ms = block->at_ms,
                  .stopping = block->stopping,
                  .build = std::move(block->build),
                  .config = std::move(block->config),
                  .model_hash = std::move(block->model_hash),
                  .articles_changed = block->articles_changed,
                  .articles = std::move(block->articles),
                  .messages = {},
                  .incidents = std::move(block->incidents),
                  .actions = std::move(block->actions),
                  .commands = {},
                  .dead_letters = std::move(block->dead_letters),
                  .entropy = std::move(block->entropy),
                  .ticks = std::move(block->ticks),
                  .results = std::move(block->results)};
  for (const Sealed& sealed : block->messages) {
    const auto text = vault.open(sealed.user_id, "in|" + sealed.id, sealed.bytes);
    if (!text) {
      ++opened.erased;
      continue;
    }
    auto message = decode<ArrivedMessage>(*text);
    if (!message) return tl::make_unexpected(message.error());
    opened.input.messages.push_back(std::move(*message));
  }
  for (const Sealed& sealed : block->commands) {
    const auto text = vault.open(sealed.user_id, "desk|" + sealed.id, sealed.bytes);
    if (!text) {
      ++opened.erased;
      continue;
    }
    auto command = decode<DeskCommand>(*text);
    if (!command) return tl::make_unexpected(command.error());
    opened.input.commands.push_back(std::move(*command));
  }
  return opened;
}

}  // namespace payops::support_agent
