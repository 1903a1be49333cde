#include "payops/observation/observer.h"

#include <algorithm>
#include <array>
#include <map>
#include <utility>

#include "attempt_decoder.h"
#include "detail_names.h"
#include "name_cache.h"
#include "open_second.h"
#include "payops/core/check.h"
#include "payops/core/digest.h"
#include "payops/core/mask.h"
#include "prefetch.h"
#include "watermark.h"

namespace payops::observation {
namespace {

constexpr std::size_t kExcerptBytes = 512;
constexpr std::size_t kCodeNameBytes = 32;
// Partitions read in chunks of megabytes lie minutes of event time apart while catching up.
constexpr std::size_t kRecentSeconds = 1'024;  // found without looking in the tree
constexpr std::size_t kPooledSeconds = 256;
constexpr int64_t kNeverClosed = std::numeric_limits<int64_t>::min();
// A message's lines are asked for this many messages before it is decoded, and it is counted after
// the decoding of two more: memory takes about as long as one decoding.
constexpr std::size_t kReadAhead = 2;
constexpr std::size_t kWaiting = 4;
constexpr std::size_t kLineBytes = 64;
constexpr std::size_t kLinesAhead = 16;  // longer messages are fetched by reading them

struct SlotPlace {
  int64_t next = 0;       // the offset after the last message read
  int64_t seen_to = 0;    // the offset after the last message ever read
  int64_t replay_to = 0;  // reading again below this offset
  bool assigned = false;
};

// A decoded message on its way to be counted: what counting asks of most attempts, so that others
// are decoded while the memory it will touch comes.
struct Arrival {
  bool decoded = false;
  bool path_known = false;     // key.path is set
  bool cause_known = false;    // decline_class is set
  bool details_known = false;  // region and merchant are set
  bool detail_beyond = false;  // one of them is "other" for want of room
  uint64_t id = 0;             // hash64 of the attempt's
  int64_t ts_ms = 0;
  Counted counted;
  double propensity = 1.0;
  uint32_t action_count = 0;
  uint32_t actions_dropped = 0;
  std::array<uint64_t, kMaxActionsPerAttempt> actions{};

  // Nothing more is asked of the decoder, so that it may go on to the next message.
  [[nodiscard]] bool complete() const {
    return decoded && path_known && cause_known && details_known;
  }
};

void fetch_ahead(std::string_view bytes) {
  const std::size_t lines = std::min(bytes.size() / kLineBytes + 1, kLinesAhead);
  for (std::size_t i = 0; i < lines; ++i) prefetch(bytes.data() + i * kLineBytes);
}

}  // namespace

struct Observer::State {
  State(const ObservationConfig& c, const DeclineTable& d, const FieldMapping& m, Dictionary& names)
      : config(c),
        declines(d),
        decoder(c, m),
        dictionary(&names),
        detail_names{DetailNames(names.of(Detail::region), c.max_regions + std::size_t{1}),
                     DetailNames(names.of(Detail::merchant), c.max_merchants + std::size_t{1})},
        watermark(c.lateness_ms, c.idle_ms) {}

  SlotPlace& place(int32_t slot);
  void assign(int32_t slot, const Position& from);
  void receive(const Message& message, int64_t now_ms, Arrival& out);
  void fetch_slots(const Arrival& arrival) const;
  void fetch_cell(const Arrival& arrival) const;
  void take(const Message& message, const Arrival& arrival, int64_t now_ms);
  void bury(const Message& message, const Fault& fault);
  void count(const Message& message, const Arrival& arrival, bool again);
  [[nodiscard]] bool names_usable(const Message& message, bool again);
  [[nodiscard]] OpenSecond& open(int64_t second);
  [[nodiscard]] const OpenSecond* recently_open(int64_t second) const;
  [[nodiscard]] OpenSecond& make(int64_t second);
  void relieve();
  [[nodiscard]] bool known_path(const Attempt& attempt, SeriesKey& path) const;
  [[nodiscard]] SeriesKey learn_path(const Attempt& attempt, bool again);
  void find_details(const Attempt& attempt, Arrival& out) const;
  void learn_details(const Attempt& attempt, Counted& counted);
  void count_detail(OpenSecond& bucket, const Counted& counted, bool beyond, bool again);
  [[nodiscard]] bool known_cause(const Attempt& attempt, DeclineClass& cause) const;
  void name_unknown(std::string_view code);
  void release(std::unique_ptr<OpenSecond> second);

  ObservationConfig config;
  DeclineTable declines;
  AttemptDecoder decoder;
  Dictionary* dictionary;
  std::array<std::size_t, kDimensions> names_taken{};
  std::array<NameCache, kDimensions> caches;
  std::array<DetailNames, kDetails> detail_names;
  std::array<std::size_t, kDetails> details_taken{};
  Watermark watermark;
  std::vector<SlotPlace> slots;
  DecodedAttempt decoded;

  std::map<int64_t, std::unique_ptr<OpenSecond>> seconds;
  std::array<OpenSecond*, kRecentSeconds> recent{};
  std::vector<std::unique_ptr<OpenSecond>> pool;
  int64_t closed_to = kNeverClosed;
  std::size_t open_attempts = 0;
  std::size_t open_cells = 0;
  std::size_t open_details = 0;
  std::size_t expected_attempts = 0;  // of the next second, from the last closed one

  IngestCounts counts;  // but for dead_letters, which is:
  std::array<int64_t, kDeadReasons> dead{};
  std::map<std::string, int64_t, std::less<>> unknown_codes;
  std::vector<DeadLetter> dead_letters;
};

SlotPlace& Observer::State::place(int32_t slot) {
  PAYOPS_CHECK(slot >= 0 && slot < kMaxSlots);
  const auto at = static_cast<std::size_t>(slot);
  if (at >= slots.size()) slots.resize(at + 1);
  return slots[at];
}

void Observer::State::assign(int32_t slot, const Position& from) {
  place(slot) = {from.replay_from, from.seen_to, from.seen_to, true};
  watermark.assign(slot, {from.high_ms, from.doubts_ms}, from.replay_from < from.seen_to);
}

void Observer::State::bury(const Message& message, const Fault& fault) {
  ++dead[static_cast<std::size_t>(fault.reason)];
  if (dead_letters.size() >= config.max_dead_letters) {
    ++counts.dead_letters_dropped;
    return;
  }
  dead_letters.push_back(
      {.reason = fault.reason,
       .field_name = fault.field ? std::string(name_of(*fault.field)) : std::string(),
       .slot = message.slot,
       .offset = message.offset,
       .payload = masked_excerpt(message.bytes, kExcerptBytes)});
}

OpenSecond& Observer::State::make(int64_t second) {
  std::unique_ptr<OpenSecond> fresh;
  if (pool.empty()) {
    fresh = std::make_unique<OpenSecond>();
  } else {
    fresh = std::move(pool.back());
    pool.pop_back();
  }
  fresh->reset(second, expected_attempts);
  OpenSecond& made = *seconds.emplace(second, std::move(fresh)).first->second;
  relieve();
  return made;
}

// nullptr when it is not open, or has to be looked for.
inline const OpenSecond* Observer::State::recently_open(int64_t second) const {
  const OpenSecond* near = recent[static_cast<std::size_t>(second) % kRecentSeconds];
  return near != nullptr && near->second() == second ? near : nullptr;
}

inline OpenSecond& Observer::State::open(int64_t second) {
  OpenSecond*& near = recent[static_cast<std::size_t>(second) % kRecentSeconds];
  if (near != nullptr && near->second() == second) return *near;
  const auto it = seconds.find(second);
  near = it != seconds.end() ? it->second.get() : &make(second);
  return *near;
}

// Lets the oldest seconds close early while more is open than the limits allow.
void Observer::State::relieve() {
  std::size_t many = seconds.size();
  std::size_t attempts = open_attempts;
  for (auto it = seconds.begin(); it != seconds.end(); ++it) {
    if (many <= config.max_open_seconds && attempts <= config.max_open_attempts) return;
    const int64_t end_ms = (it->first + 1) * 1'000;
    if (watermark.ms() == kNoWatermark || watermark.ms() < end_ms) {
      watermark.force(end_ms);
      ++counts.seconds_forced;
    }
    --many;
    attempts -= it->second->attempts();
  }
}

void Observer::State::release(std::unique_ptr<OpenSecond> second) {
  OpenSecond*& near = recent[static_cast<std::size_t>(second->second()) % kRecentSeconds];
  if (near == second.get()) near = nullptr;
  if (pool.size() < kPooledSeconds) pool.push_back(std::move(second));
}

// True when all three names are among the recently used ones.
inline bool Observer::State::known_path(const Attempt& attempt, SeriesKey& path) const {
  path = {caches[0].find(attempt.issuer), caches[1].find(attempt.method),
          caches[2].find(attempt.gateway)};
  return path.issuer != NameCache::kMiss && path.method != NameCache::kMiss &&
         path.gateway != NameCache::kMiss;
}

SeriesKey Observer::State::learn_path(const Attempt& attempt, bool again) {
  const std::array<std::string_view, kDimensions> names{attempt.issuer, attempt.method,
                                                        attempt.gateway};
  std::array<DimId, kDimensions> ids{};
  bool beyond = false;
  for (std::size_t d = 0; d < kDimensions; ++d) {
    ids[d] = dictionary->tables[d].intern(names[d]);
    if (ids[d] != kOther) {
      caches[d].put(names[d], ids[d]);
    } else {
      beyond = beyond || names[d] != dictionary->tables[d].name(kOther);
    }
  }
  if (beyond && !again) ++counts.names_to_other;
  return {ids[0], ids[1], ids[2]};
}

inline void Observer::State::find_details(const Attempt& attempt, Arrival& out) const {
  const DetailNames& regions = detail_names[static_cast<std::size_t>(Detail::region)];
  const DetailNames& merchants = detail_names[static_cast<std::size_t>(Detail::merchant)];
  out.counted.region = regions.find(attempt.region);
  out.counted.merchant = merchants.find(attempt.merchant_id);
  out.details_known =
      out.counted.region != DetailNames::kMiss && out.counted.merchant != DetailNames::kMiss;
  out.detail_beyond = (out.counted.region == kOther && !attempt.region.empty()) ||
                      (out.counted.merchant == kOther && !attempt.merchant_id.empty());
}

// Names that a table has room for; those that no scope could hold count as none.
void Observer::State::learn_details(const Attempt& attempt, Counted& counted) {
  const auto learn = [&](Detail detail, std::string_view name, DimId& id) {
    const auto d = static_cast<std::size_t>(detail);
    id = detail_names[d].find(name);
    if (id != DetailNames::kMiss) return;
    id = usable_name(name) ? dictionary->details[d].intern(name) : kOther;
    if (id != kOther) detail_names[d].put(name, id);
  };
  learn(Detail::region, attempt.region, counted.region);
  learn(Detail::merchant, attempt.merchant_id, counted.merchant);
}

inline void Observer::State::count_detail(OpenSecond& bucket, const Counted& counted, bool beyond,
                                          bool again) {
  const std::size_t cells = bucket.detail_count();
  const bool room = open_details < config.max_open_details;
  const bool kept = bucket.count_detail(counted, room ? config.max_detail_keys : cells);
  open_details += bucket.detail_count() - cells;
  if (again) return;
  counts.details_to_other += kept ? 0 : 1;
  counts.detail_names_to_other += beyond ? 1 : 0;
}

void Observer::State::name_unknown(std::string_view code) {
  const std::string name = code.empty() ? "(none)" : masked_excerpt(code, kCodeNameBytes);
  if (const auto it = unknown_codes.find(name); it != unknown_codes.end()) {
    ++it->second;
  } else if (unknown_codes.size() < config.max_unknown_codes) {
    unknown_codes.emplace(name, 1);
  } else {
    ++unknown_codes["other"];
  }
}

// False for a failure by a code that the table lacks.
inline bool Observer::State::known_cause(const Attempt& attempt, DeclineClass& cause) const {
  cause = DeclineClass::unknown;
  if (attempt.status == AttemptStatus::approved || attempt.status == AttemptStatus::timeout) {
    return true;
  }
  const auto meaning = declines.find(attempt.decline_code);
  if (meaning) cause = meaning->decline_class;
  return meaning.has_value();
}

// The dimension's name that no scope could hold makes a dead letter; false when there is one.
bool Observer::State::names_usable(const Message& message, bool again) {
  const auto check = [&](std::string_view name, AttemptField field) {
    if (usable_name(name)) return true;
    if (!again) bury(message, {DeadReason::unusable_text, field});
    return false;
  };
  return check(decoded.attempt.issuer, AttemptField::issuer) &&
         check(decoded.attempt.method, AttemptField::method) &&
         check(decoded.attempt.gateway, AttemptField::gateway);
}

// Decodes, and keeps what counting will need.
void Observer::State::receive(const Message& message, int64_t now_ms, Arrival& out) {
  out.decoded = decoder.decode(message.bytes, now_ms, decoded);
  if (!out.decoded) return;
  const Attempt& attempt = decoded.attempt;
  out.path_known = known_path(attempt, out.counted.key.path);
  out.cause_known = known_cause(attempt, out.counted.decline_class);
  find_details(attempt, out);
  out.id = hash64(attempt.attempt_id);
  out.ts_ms = attempt.ts_ms;
  out.counted.key.arm = attempt.arm;
  out.counted.status = attempt.status;
  out.counted.first = attempt.attempt_no == 1;
  out.counted.latency_ms = attempt.latency_ms;
  out.counted.amount_minor = decoded.reporting_minor;
  out.counted.band = decoded.band;
  out.counted.stage = attempt.stage;
  out.propensity = attempt.propensity;
  out.action_count = attempt.action_count;
  out.actions_dropped = decoded.actions_dropped;
  for (std::size_t i = 0; i < attempt.action_count; ++i) out.actions[i] = attempt.actions[i];
}

inline void Observer::State::fetch_slots(const Arrival& arrival) const {
  const OpenSecond* near = recently_open(arrival.ts_ms / 1'000);
  if (near != nullptr) near->fetch_slots(arrival.id, arrival.counted);
}

// REQUIRES: fetch_slots() some time ago.
inline void Observer::State::fetch_cell(const Arrival& arrival) const {
  const OpenSecond* near = recently_open(arrival.ts_ms / 1'000);
  if (near != nullptr) near->fetch_cell(arrival.counted);
}

// The message in its turn. REQUIRES: the arrival is complete, or the last one received.
void Observer::State::take(const Message& message, const Arrival& arrival, int64_t now_ms) {
  if (!place(message.slot).assigned) assign(message.slot, {message.offset, message.offset});
  SlotPlace& place = slots[static_cast<std::size_t>(message.slot)];
  const bool again = message.offset < place.seen_to;
  place.next = message.offset + 1;
  place.seen_to = std::max(place.seen_to, place.next);
  watermark.heard(message.slot, now_ms);
  if (arrival.decoded) {
    count(message, arrival, again);
  } else if (!again) {
    bury(message, decoder.fault());
  }
  if (again && place.next >= place.replay_to) watermark.replayed(message.slot);
  if (!again && place.replay_to != 0) {
    watermark.replayed(message.slot);  // the last offsets before seen_to may hold no message
    place.replay_to = 0;
  }
}

// Counts the attempt where it belongs.
void Observer::State::count(const Message& message, const Arrival& arrival, bool again) {
  if (!arrival.path_known && !names_usable(message, again)) return;
  const int64_t second = arrival.ts_ms / 1'000;
  if (second <= closed_to) {
    if (again) return;
    ++counts.late;
    watermark.trust(message.slot, arrival.ts_ms);
    return;
  }
  OpenSecond& bucket = open(second);
  switch (bucket.seen().insert(arrival.id, again)) {
    case Seen::first:
      break;
    case Seen::before:
      counts.duplicates += again ? 0 : 1;
      return;
    case Seen::counted_twice:
      --counts.attempts;
      ++counts.duplicates;
      return;
  }
  counts.attempts += again ? 0 : 1;
  if (++open_attempts > config.max_open_attempts) relieve();
  Counted counted = arrival.counted;
  if (!arrival.path_known) counted.key.path = learn_path(decoded.attempt, again);
  if (!arrival.details_known) learn_details(decoded.attempt, counted);
  if (!again) watermark.trust(message.slot, arrival.ts_ms);
  bucket.note_offset(message.slot, message.offset);
  if (!arrival.cause_known && !again) name_unknown(decoded.attempt.decline_code);

  const std::size_t cells = bucket.cell_count();
  const std::size_t room = config.max_open_cells > open_cells ? config.max_leaf_keys : cells;
  const bool kept = bucket.count(counted, room);
  open_cells += bucket.cell_count() - cells;
  if (counted.first) count_detail(bucket, counted, arrival.detail_beyond, again);
  uint32_t arms_dropped = arrival.actions_dropped;
  for (std::size_t i = 0; i < arrival.action_count; ++i) {
    if (!bucket.count_arm(counted, arrival.actions[i], arrival.propensity)) ++arms_dropped;
  }
  if (!again) {
    counts.keys_to_other += kept ? 0 : 1;
    counts.arms_dropped += arms_dropped;
  }
}

Observer::Observer(const ObservationConfig& config, const DeclineTable& declines,
                   const FieldMapping& mapping, Dictionary& dictionary)
    : state_(std::make_unique<State>(config, declines, mapping, dictionary)) {
  for (std::size_t d = 0; d < kDimensions; ++d) {
    dictionary.tables[d].set_limit(config.max_names);
    state_->names_taken[d] = dictionary.tables[d].size();
  }
  dictionary.details[0].set_limit(config.max_regions + std::size_t{1});
  dictionary.details[1].set_limit(config.max_merchants + std::size_t{1});
  for (std::size_t d = 0; d < kDetails; ++d) {
    state_->details_taken[d] = dictionary.details[d].size();
  }
}

Observer::~Observer() = default;
Observer::Observer(Observer&&) noexcept = default;
Observer& Observer::operator=(Observer&&) noexcept = default;

void Observer::assign(int32_t slot, const Position& from) { state_->assign(slot, from); }

void Observer::unassign(int32_t slot) {
  state_->place(slot).assigned = false;
  state_->watermark.unassign(slot);
}

void Observer::set_closed_to(int64_t second) {
  state_->closed_to = std::max(state_->closed_to, second);
  state_->watermark.force((second + 1) * 1'000);
}

void Observer::add(std::span<const Message> messages, int64_t now_ms) {
  State& s = *state_;
  std::array<Arrival, kWaiting> waiting;
  std::size_t next = 0;  // to be taken
  const auto take_next = [&] {
    s.take(messages[next], waiting[next % kWaiting], now_ms);
    ++next;
  };
  for (std::size_t i = 0; i < messages.size(); ++i) {
    if (i + kReadAhead < messages.size()) fetch_ahead(messages[i + kReadAhead].bytes);
    Arrival& arrival = waiting[i % kWaiting];
    s.receive(messages[i], now_ms, arrival);
    if (!arrival.complete()) {
      while (next <= i) take_next();
      continue;
    }
    s.fetch_slots(arrival);
    if (next < i) s.fetch_cell(waiting[(i - 1) % kWaiting]);
    if (i - next == kWaiting - 1) take_next();
  }
  while (next < messages.size()) take_next();
}

void Observer::add(const Message& message, int64_t now_ms) { add({&message, 1}, now_ms); }

void Observer::at_end(int32_t slot, int64_t now_ms) {
  if (!state_->place(slot).assigned) return;
  state_->watermark.at_end(slot, now_ms);
}

void Observer::tick(int64_t now_ms) { state_->watermark.tick(now_ms); }

void Observer::finish() {
  state_->watermark.advance();
  if (state_->seconds.empty()) return;
  state_->watermark.force((state_->seconds.rbegin()->first + 1) * 1'000);
}

bool Observer::next_closed(ClosedBucket& out, int64_t before_second) {
  State& s = *state_;
  s.watermark.advance();
  if (s.watermark.ms() == kNoWatermark) return false;
  const int64_t passed = std::min(s.watermark.ms() / 1'000, before_second) - 1;
  const auto oldest = s.seconds.begin();
  if (oldest == s.seconds.end() || oldest->first > passed) {
    s.closed_to = std::max(s.closed_to, passed);
    return false;
  }
  s.closed_to = oldest->first;
  std::unique_ptr<OpenSecond> second = std::move(oldest->second);
  s.seconds.erase(oldest);
  s.expected_attempts = second->attempts();
  s.open_attempts -= second->attempts();
  s.open_cells -= second->cell_count();
  s.open_details -= second->detail_count();
  second->move_to(out);
  s.release(std::move(second));
  return true;
}

int64_t Observer::closed_to() const { return state_->closed_to; }

int64_t Observer::watermark_ms() const {
  state_->watermark.advance();
  return state_->watermark.ms();
}

Position Observer::position(int32_t slot) const {
  const SlotPlace& place = state_->place(slot);
  Position position{std::min(place.next, place.seen_to), place.seen_to};
  if (place.assigned) {
    TimeMark mark = state_->watermark.mark(slot);
    position.high_ms = mark.high_ms;
    position.doubts_ms = std::move(mark.doubts_ms);
  }
  for (const auto& [number, second] : state_->seconds) {
    position.replay_from = std::min(position.replay_from, second->first_offset(slot));
  }
  return position;
}

IngestCounts Observer::take_counts() {
  State& s = *state_;
  IngestCounts taken = std::exchange(s.counts, {});
  for (std::size_t i = 0; i < kDeadReasons; ++i) {
    const auto count = std::exchange(s.dead[i], 0);
    if (count != 0) taken.dead_letters[std::string(name_of(static_cast<DeadReason>(i)))] = count;
  }
  for (const auto& [code, count] : s.unknown_codes) taken.unknown_codes[code] = count;
  s.unknown_codes.clear();
  return taken;
}

std::vector<DeadLetter> Observer::take_dead_letters() {
  return std::exchange(state_->dead_letters, {});
}

std::size_t Observer::dead_letters_pending() const { return state_->dead_letters.size(); }

DictionaryDelta Observer::take_new_names() {
  DictionaryDelta delta;
  for (std::size_t d = 0; d < kDimensions; ++d) {
    const std::vector<std::string>& names = state_->dictionary->tables[d].names();
    for (std::size_t i = state_->names_taken[d]; i < names.size(); ++i) {
      delta.added[d].push_back(names[i]);
    }
    state_->names_taken[d] = names.size();
  }
  for (std::size_t d = 0; d < kDetails; ++d) {
    const std::vector<std::string>& names = state_->dictionary->details[d].names();
    delta.details[d].assign(names.begin() + static_cast<std::ptrdiff_t>(state_->details_taken[d]),
                            names.end());
    state_->details_taken[d] = names.size();
  }
  return delta;
}

std::size_t Observer::open_seconds() const { return state_->seconds.size(); }
std::size_t Observer::open_attempts() const { return state_->open_attempts; }

}  // namespace payops::observation
