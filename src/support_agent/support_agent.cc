#include "payops/support_agent/support_agent.h"

#include <algorithm>
#include <utility>

#include "agent_impl.h"
#include "payops/core/check.h"
#include "payops/core/codec.h"
#include "payops/core/digest.h"
#include "payops/core/json_fields.h"
#include "payops/core/text.h"

namespace payops::support_agent {
namespace {

constexpr uint32_t kSnapshotVersion = 2;
constexpr std::size_t kActionsMax = 1024;

// A session in a snapshot, sealed with its customer's key.
struct SealedSession {
  std::string user_id;
  std::string id;
  std::string bytes;
  static constexpr auto fields() {
    return std::make_tuple(field("user_id", &SealedSession::user_id),
                           field("id", &SealedSession::id), field("bytes", &SealedSession::bytes));
  }
};

struct Snapshot {
  uint32_t version = kSnapshotVersion;
  std::string config;
  std::vector<FaqArticle> articles;
  std::vector<SealedSession> sessions, tickets;
  std::map<std::string, Incident> incidents;
  std::map<std::string, std::string> actions;
  std::vector<std::string> action_order, ticket_order;
  std::map<std::string, Remembered> remembered;
  std::vector<std::string> remembered_order;
  uint64_t remembered_next = 0;
  std::map<std::string, Pace> paces;
  std::map<std::string, int64_t> counts;
  uint64_t steps = 0;
  int64_t at_ms = 0, swept_ms = 0;
  std::string digest;
  static constexpr auto fields() {
    using S = Snapshot;
    return std::make_tuple(
        field("version", &S::version), field("config", &S::config), field("articles", &S::articles),
        field("sessions", &S::sessions), field("tickets", &S::tickets),
        field("incidents", &S::incidents), field("actions", &S::actions),
        field("action_order", &S::action_order), field("ticket_order", &S::ticket_order),
        field("remembered", &S::remembered), field("remembered_order", &S::remembered_order),
        field("remembered_next", &S::remembered_next), field("paces", &S::paces),
        field("counts", &S::counts), field("steps", &S::steps), field("at_ms", &S::at_ms),
        field("swept_ms", &S::swept_ms), field("digest", &S::digest));
  }
};

std::string nodes_json(const std::vector<graph::NodeTiming>& trace) {
  Json nodes = Json::array();
  for (const graph::NodeTiming& node : trace) {
    nodes.push_back({{"node", node.node}, {"us", node.duration_ns / 1000}});
  }
  return dump(nodes);
}

// The audit's record of a reply: what was decided and by which nodes; no word of the customer's.
AuditRecord chat_record(const ChatTurn& t, const std::vector<graph::NodeTiming>& trace) {
  const ChatReply& r = t.reply;
  Json body{{"message_id", r.in_reply_to},
            {"reply_id", r.message_id},
            {"session_id", r.session_id},
            {"class", name_of(r.intent_class)},
            {"intent", r.intent},
            {"confidence", r.confidence},
            {"agent", r.agent},
            {"why", t.turn.route.why},
            {"outcome", name_of(r.outcome)},
            {"handled_by", r.handled_by},
            {"citations", r.citations},
            {"ticket_id", r.ticket_id},
            {"trace_id", r.trace_id}};
  if (!t.turn.withheld.empty()) body["withheld"] = true;
  if (!t.turn.wish.handover.empty()) body["handover"] = t.turn.wish.handover;
  if (t.turn.look_up.incident != nullptr) body["incident"] = t.turn.look_up.incident->id;
  body["nodes"] = Json::parse(nodes_json(trace));
  return audit_record("chat", r.ts_ms, dump(body));
}

// Reads the clock and notes what it read, or gives what was noted.
class Ticking {
 public:
  Ticking(const graph::Ticks& clock, std::vector<int64_t>& noted, bool replay)
      : clock_(clock), noted_(noted), replay_(replay) {}
  int64_t operator()() {
    if (replay_) return next_ < noted_.size() ? noted_[next_++] : 0;
    const int64_t now = clock_();
    if (noted_.empty()) first_ = now;
    noted_.push_back(now - first_);
    return noted_.back();
  }

 private:
  const graph::Ticks& clock_;
  std::vector<int64_t>& noted_;
  bool replay_;
  std::size_t next_ = 0;
  int64_t first_ = 0;
};

}  // namespace

SupportAgent::Impl::Impl(Vault& v, Extend extend_agents)
    : vault(&v),
      extend(std::move(extend_agents)),
      understand(make_understand()),
      look_up(make_look_up()),
      router(make_router()),
      follow_through(make_follow_through()),
      gate(make_gate()) {
  PAYOPS_CHECK(configure({}).has_value());
}

Status SupportAgent::Impl::configure(const SupportConfig& next) {
  if (const Status valid = next.validate(); !valid) return valid;
  ChatNodes made = make_agents();
  extend(made);
  auto built = chat_graph(this, made);
  if (!built) return tl::make_unexpected(built.error());
  SupportConfig with_agents = next;
  if (with_agents.agents.empty()) with_agents.agents = default_agents();
  std::vector<std::string> known;
  for (const auto& agent : made) known.emplace_back(agent->name());
  for (const AgentEntry& entry : with_agents.agents) {
    if (std::find(known.begin(), known.end(), entry.name) != known.end()) continue;
    return fail(ErrorCode::config, "\"agents\": there is no agent \"" + entry.name + "\"" +
                                       did_you_mean(entry.name, known));
  }
  agents = std::move(made);
  graph = std::move(*built);
  config_json = dump(to_json(next));
  config = std::move(with_agents);
  return {};
}

void SupportAgent::Impl::index_articles() { index = FaqIndex(articles, knowledge.embed); }

void SupportAgent::Impl::take_news(const SupportInput& input, Effects& effects) {
  for (const SendResult& result : input.results) {
    if (result.published) continue;
    effects.audit.push_back(audit_record("withdrawn", at_ms, dump(to_json(result))));
  }
  for (const Incident& incident : input.incidents) {
    if (incident.status == IncidentStatus::resolved) {
      incidents.erase(incident.id);
    } else {
      incidents[incident.id] = incident;
    }
    effects.audit.push_back(audit_record(
        "incident_heard", at_ms,
        dump(Json{{"incident_id", incident.id}, {"status", name_of(incident.status)}})));
  }
  for (const auto& [id, type] : input.actions) {
    if (actions.emplace(id, type).second) action_order.push_back(id);
    if (action_order.size() > kActionsMax) {
      actions.erase(action_order.front());
      action_order.erase(action_order.begin());
    }
  }
  for (std::size_t i = 0; i < input.dead_letters.size(); ++i) {
    const ChatDeadLetter& letter = input.dead_letters[i];
    effects.outbox.push_back({.id = "chat-dlq-" + std::to_string(steps) + "-" + std::to_string(i),
                              .topic = "dead-letters",
                              .key = letter.reason,
                              .payload = dump(to_json(letter))});
    ++counts["dead_letters"];
  }
}

Status SupportAgent::Impl::take_message(const ArrivedMessage& arrived, std::size_t place,
                                        const SupportInput& input, const graph::Ticks& clock,
                                        Effects& effects) {
  const ChatMessage& message = arrived.message;
  if (const auto known = remembered.find(message.message_id); known != remembered.end()) {
    const bool same = known->second.text_hash == sha256_hex(message.text);
    const auto earlier = from_json<ChatReply>(Json::parse(known->second.reply, nullptr, false));
    if (same && earlier) {
      // The same id and the same bytes, as if the first had been repeated.
      effects.outbox.push_back({.id = earlier->message_id,
                                .topic = "chat.outbound",
                                .key = earlier->session_id,
                                .payload = known->second.reply});
      replies.push_back(*earlier);
      ++counts["repeats"];
      return {};
    }
    effects.outbox.push_back(
        {.id = "chat-dlq-" + std::to_string(steps) + "-m" + std::to_string(place),
         .topic = "dead-letters",
         .key = "message_id_reused",
         .payload =
             dump(Json{{"reason", "message_id_reused"}, {"message_id", message.message_id}})});
    ++counts["dead_letters"];
    return {};
  }
  ChatTurn t;
  t.arrived = &arrived;
  t.entropy = input.entropy;
  t.place = place;
  t.turn.message = &message;
  t.turn.customer = &arrived.customer;
  t.turn.config = &config;
  t.turn.faq = &index;
  t.turn.classifier = knowledge.classifier.get();
  t.turn.incidents = &incidents;
  t.turn.actions = &actions;
  t.turn.tickets = &tickets;
  t.turn.now_ms = at_ms;
  graph::Checkpoint at = graph.start();
  const auto trace = graph.run(t, at, clock);
  if (!trace) return tl::make_unexpected(trace.error());
  effects.audit.push_back(chat_record(t, *trace));
  const auto add = [](auto& into, auto& more) {
    into.insert(into.end(), std::make_move_iterator(more.begin()),
                std::make_move_iterator(more.end()));
  };
  add(effects.audit, t.effects.audit);
  add(effects.outbox, t.effects.outbox);
  add(effects.rows, t.effects.rows);
  replies.push_back(t.reply);
  return {};
}

Result<Taken> SupportAgent::Impl::step(SupportInput input, std::string_view recorded) {
  PAYOPS_CHECK(knowledge.classifier != nullptr);
  ++steps;
  at_ms = std::max(at_ms, input.at_ms);
  replies.clear();
  results.clear();
  notifications.clear();
  Effects effects;
  if (!input.config.empty()) {
    auto next = from_json<SupportConfig>(Json::parse(input.config, nullptr, false));
    if (!next) return tl::make_unexpected(next.error());
    if (Status configured = configure(*next); !configured) {
      return tl::make_unexpected(configured.error());
    }
    effects.audit.push_back(audit_record("started", at_ms,
                                         dump(Json{{"build", input.build},
                                                   {"config_hash", sha256_hex(input.config)},
                                                   {"config", Json::parse(input.config)},
                                                   {"model_hash", input.model_hash}})));
  }
  if (input.articles_changed) {
    articles = input.articles;
    index_articles();
    effects.audit.push_back(audit_record(
        "articles", at_ms,
        dump(Json{{"count", articles.size()}, {"sha256", sha256_hex(payops::encode(articles))}})));
  }
  take_news(input, effects);
  for (std::size_t i = 0; i < input.commands.size(); ++i) {
    take_command(input.commands[i], i, effects);
  }
  const bool replay = !recorded.empty();
  Ticking ticking(ticks, input.ticks, replay);
  const graph::Ticks clock = [&ticking] { return ticking(); };
  for (std::size_t i = 0; i < input.messages.size(); ++i) {
    if (Status taken = take_message(input.messages[i], i, input, clock, effects); !taken) {
      return tl::make_unexpected(taken.error());
    }
  }
  close_idle(effects);
  Taken taken;
  taken.block = replay ? std::string(recorded) : encode_input(input, *vault);
  StateDigest sum;
  sum.add(digest);
  sum.add(taken.block);
  sum.add(payops::encode(effects.rows));
  sum.add(payops::encode(effects.outbox));
  digest = sum.hex();
  taken.output = {.audit = std::move(effects.audit),
                  .outbox = std::move(effects.outbox),
                  .digest = digest,
                  .ts_ms = at_ms,
                  .build = input.build};
  taken.rows = std::move(effects.rows);
  return taken;
}

std::string SupportAgent::Impl::encode() const {
  Snapshot s;
  s.config = config_json;
  s.articles = articles;
  for (const auto& [id, session] : sessions) {
    s.sessions.push_back({session.user_id, id,
                          vault->seal(session.user_id, "session|" + id, payops::encode(session))});
  }
  for (const auto& [id, ticket] : tickets) {
    s.tickets.push_back(
        {ticket.user_id, id, vault->seal(ticket.user_id, "ticket|" + id, payops::encode(ticket))});
  }
  s.incidents = incidents;
  s.actions = actions;
  s.action_order = action_order;
  s.ticket_order = ticket_order;
  s.remembered = remembered;
  s.remembered_order = remembered_order;
  s.remembered_next = remembered_next;
  s.paces = paces;
  s.counts = counts;
  s.steps = steps;
  s.at_ms = at_ms;
  s.swept_ms = swept_ms;
  s.digest = digest;
  return payops::encode(s);
}

Status SupportAgent::Impl::decode(std::string_view bytes) {
  auto s = payops::decode<Snapshot>(bytes);
  if (!s) return tl::make_unexpected(s.error());
  if (s->version != kSnapshotVersion) {
    return fail(ErrorCode::limit, "snapshot version " + std::to_string(s->version) + " is not " +
                                      std::to_string(kSnapshotVersion));
  }
  const auto parsed = from_json<SupportConfig>(Json::parse(s->config, nullptr, false));
  if (!parsed) return tl::make_unexpected(parsed.error());
  if (Status configured = configure(*parsed); !configured) return configured;
  for (const SealedSession& sealed : s->sessions) {
    const auto text = vault->open(sealed.user_id, "session|" + sealed.id, sealed.bytes);
    if (!text) continue;  // erased
    auto session = payops::decode<Session>(*text);
    if (!session) return tl::make_unexpected(session.error());
    session_of[session->user_id] = sealed.id;
    sessions.emplace(sealed.id, std::move(*session));
  }
  for (const SealedSession& sealed : s->tickets) {
    const auto text = vault->open(sealed.user_id, "ticket|" + sealed.id, sealed.bytes);
    if (!text) continue;
    auto ticket = payops::decode<Ticket>(*text);
    if (!ticket) return tl::make_unexpected(ticket.error());
    tickets.emplace(sealed.id, std::move(*ticket));
  }
  articles = std::move(s->articles);
  incidents = std::move(s->incidents);
  actions = std::move(s->actions);
  action_order = std::move(s->action_order);
  ticket_order = std::move(s->ticket_order);
  remembered = std::move(s->remembered);
  remembered_order = std::move(s->remembered_order);
  remembered_next = s->remembered_next;
  paces = std::move(s->paces);
  counts = std::move(s->counts);
  steps = s->steps;
  at_ms = s->at_ms;
  swept_ms = s->swept_ms;
  digest = std::move(s->digest);
  index_articles();
  return {};
}

SupportAgent::SupportAgent(Vault& vault, Extend extend)
    : impl_(std::make_unique<Impl>(vault, std::move(extend))) {}
SupportAgent::~SupportAgent() = default;

void SupportAgent::know(Knowledge knowledge) {
  impl_->knowledge = std::move(knowledge);
  impl_->index_articles();
}
Status SupportAgent::configure(const SupportConfig& config) { return impl_->configure(config); }
const SupportConfig& SupportAgent::config() const { return impl_->config; }

Result<Taken> SupportAgent::step(SupportInput input) { return impl_->step(std::move(input), {}); }

Result<StepOutput> SupportAgent::apply(std::string_view block) {
  auto opened = decode_input(block, *impl_->vault);
  if (!opened) return tl::make_unexpected(opened.error());
  SupportInput& input = opened->input;
  if (input.step != impl_->steps + 1) {
    return fail(ErrorCode::corrupt, "its input is of step " + std::to_string(input.step) +
                                        " and not of step " + std::to_string(impl_->steps + 1));
  }
  if (!input.model_hash.empty() && input.model_hash != impl_->knowledge.model_hash) {
    return fail(ErrorCode::config, "its messages were understood by the model " + input.model_hash +
                                       ", and this is " + impl_->knowledge.model_hash +
                                       ": give the one that it ran with");
  }
  if (opened->erased > 0) {
    return fail(ErrorCode::refused, "erased: the key of " + std::to_string(opened->erased) +
                                        " of its messages was destroyed at a customer's wish");
  }
  auto taken = impl_->step(std::move(input), block);
  if (!taken) return tl::make_unexpected(taken.error());
  return std::move(taken->output);
}

std::string SupportAgent::snapshot() const { return impl_->encode(); }

Status SupportAgent::restore(std::string_view snapshot) {
  auto fresh = std::make_unique<Impl>(*impl_->vault, impl_->extend);
  fresh->ticks = impl_->ticks;
  fresh->knowledge = impl_->knowledge;
  if (!snapshot.empty()) {
    if (Status status = fresh->decode(snapshot); !status) return status;
  }
  impl_ = std::move(fresh);
  return {};
}

const std::vector<ChatReply>& SupportAgent::replies() const { return impl_->replies; }
const std::vector<CommandResult>& SupportAgent::command_results() const { return impl_->results; }
const std::vector<Notification>& SupportAgent::notifications() const {
  return impl_->notifications;
}
uint64_t SupportAgent::steps() const { return impl_->steps; }
const Session* SupportAgent::session(std::string_view id) const {
  const auto it = impl_->sessions.find(std::string(id));
  return it == impl_->sessions.end() ? nullptr : &it->second;
}
const std::map<std::string, Session>& SupportAgent::sessions() const { return impl_->sessions; }
const std::map<std::string, Ticket>& SupportAgent::tickets() const { return impl_->tickets; }
const std::map<std::string, Incident>& SupportAgent::incidents() const { return impl_->incidents; }
const std::map<std::string, int64_t>& SupportAgent::counts() const { return impl_->counts; }
const FaqIndex& SupportAgent::faq() const { return impl_->index; }
int64_t SupportAgent::at_ms() const { return impl_->at_ms; }
void SupportAgent::set_ticks(graph::Ticks ticks) { impl_->ticks = std::move(ticks); }

graph::Shape SupportAgent::shape() {
  const ChatNodes agents = make_agents();
  return chat_graph(nullptr, agents)->shape();
}

}  // namespace payops::support_agent
