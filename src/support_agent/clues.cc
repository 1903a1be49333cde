#include "clues.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>

#include "payops/support_agent/text_features.h"

namespace payops::support_agent {
namespace {

using Words = std::vector<std::string>;

template <std::size_t N>
std::size_t count_of(const Words& words, const std::array<std::string_view, N>& phrases) {
  return static_cast<std::size_t>(std::count_if(
      phrases.begin(), phrases.end(), [&](std::string_view p) { return has_phrase(words, p); }));
}

constexpr std::array<std::string_view, 34> kAngry{
    "worst",        "pathetic",     "useless",      "ridiculous", "angry",    "furious",
    "disgusting",   "terrible",     "horrible",     "cheat",      "cheating", "thieves",
    "robbing",      "fed up",       "sick of",      "fraud",      "scam",     "hell",
    "unacceptable", "bakwas",       "ghatiya",      "bekar",      "pareshan", "frustrated",
    "frustrating",  "nonsense",     "disappointed", "shame",      "stupid",   "idiot",
    "nobody helps", "no one helps", "third time",   "loot"};
constexpr std::array<std::string_view, 12> kPleased{
    "thanks",  "thank you", "great",    "awesome",   "perfect",  "love",
    "helpful", "nice",      "good job", "excellent", "shukriya", "dhanyavad"};
constexpr std::array<std::string_view, 20> kAbuse{
    "idiot",     "idiots",    "stupid",  "moron", "bastard", "bastards", "fuck",
    "fucking",   "shit",      "asshole", "bitch", "crap",    "chutiya",  "bhosdike",
    "madarchod", "behenchod", "harami",  "kutta", "kamina",  "saala"};
constexpr std::array<std::string_view, 17> kCancels{
    "never mind",   "nevermind",          "forget it",        "forget about it",
    "leave it",     "cancel that",        "cancel it",        "cancel this",
    "drop it",      "rehne do",           "chhodo",           "chodo",
    "rehne dijiye", "not needed anymore", "close the ticket", "close my ticket",
    "solved now"};
constexpr std::array<std::string_view, 15> kCorrects{
    "i meant",        "i mean",   "actually it", "actually i",      "sorry i meant",
    "correction",     "not that", "no not that", "wrong one",       "mera matlab",
    "let me correct", "typo",     "i misspoke",  "it was actually", "sorry it was"};
constexpr std::array<std::string_view, 16> kYes{
    "yes", "y",    "yeah", "yep",       "yup",      "haan", "han",        "ha",
    "ok",  "okay", "sure", "please do", "go ahead", "ji",   "yes please", "of course"};
constexpr std::array<std::string_view, 9> kNo{
    "no", "n", "nope", "nah", "not now", "no thanks", "not", "no thank you", "mat karo"};
constexpr std::array<std::string_view, 10> kThanks{"thanks",   "thank you",  "thx", "thank u",
                                                   "shukriya", "dhanyavad",  "ty",  "thanku",
                                                   "tysm",     "many thanks"};
constexpr std::array<std::string_view, 12> kGreetings{
    "hi",   "hello",          "hey",      "namaste",     "good morning", "good evening", "hii",
    "helo", "good afternoon", "namaskar", "how are you", "kaise ho"};
constexpr std::array<std::string_view, 26> kSteers{"ignore all previous",
                                                   "ignore previous",
                                                   "ignore your",
                                                   "system prompt",
                                                   "you are now",
                                                   "pretend you are",
                                                   "pretend to be",
                                                   "act as a",
                                                   "developer mode",
                                                   "debug mode",
                                                   "drop table",
                                                   "select from",
                                                   "union select",
                                                   "script alert",
                                                   "repeat the text",
                                                   "jailbreak",
                                                   "disregard your",
                                                   "your instructions",
                                                   "reveal your",
                                                   "override your",
                                                   "do anything now",
                                                   "hidden prompt",
                                                   "disregard all",
                                                   "forget your rules",
                                                   "user has been verified",
                                                   "forget all previous"};
constexpr std::array<std::string_view, 20> kOthersData{
    "other customers", "another customer", "other customer",   "all customers",
    "other users",     "another user",     "all users",        "someone else's",
    "somebody else's", "of user",          "customer with",    "customer named",
    "customer number", "of customer",      "of my neighbour",  "of my neighbor",
    "his balance",     "her balance",      "his transactions", "her transactions"};
// Whose data that are, which data, and the words of asking for them.
constexpr std::array<std::string_view, 22> kRelations{
    "wife's",     "husband's",    "neighbour's", "neighbor's",  "boss's",    "ex's",
    "friend's",   "brother's",    "sister's",    "father's",    "mother's",  "son's",
    "daughter's", "girlfriend's", "boyfriend's", "colleague's", "partner's", "uncle's",
    "roommate's", "tenant's",     "landlord's",  "dad's"};
constexpr std::array<std::string_view, 11> kPrivate{
    "balance", "transactions", "statement", "pin",       "password", "otp",
    "salary",  "spending",     "payments",  "purchases", "account"};
constexpr std::array<std::string_view, 9> kDemands{"show",  "tell", "give", "list",  "see",
                                                   "check", "what", "view", "access"};
constexpr std::array<std::string_view, 22> kQuestionWords{
    "what", "how", "why",    "when", "where", "which", "who", "can",   "could", "do",    "does",
    "is",   "are", "should", "will", "kya",   "kaise", "kab", "kitna", "kitne", "kitni", "whats"};
constexpr std::array<std::string_view, 17> kHowTo{
    "how do i",   "how to",         "how can i",    "how do you",          "how does",
    "how do we",  "how can one",    "how does one", "what is the process", "steps to",
    "steps for",  "procedure to",   "kaise kare",   "kaise karte",         "how should i",
    "kaise hota", "what happens if"};

constexpr std::array<std::string_view, 54> kForeign{
    "je",      "vous",     "est",        "une",    "mon",    "ma",     "carte",  "bonjour",
    "ist",     "meine",    "ich",        "nicht",  "bitte",  "konto",  "mi",     "tarjeta",
    "hola",    "necesito", "ayuda",      "con",    "pago",   "quiero", "dinero", "onde",
    "meu",     "dinheiro", "buongiorno", "vorrei", "sapere", "il",     "saldo",  "grazie",
    "gracias", "merci",    "danke",      "donde",  "esta",   "wo",     "mein",   "geld",
    "de",      "el",       "la",         "por",    "favor",  "puedo",  "como",   "warum",
    "wurde",   "pourquoi", "argent",     "votre",  "mijn",   "dove"};
constexpr std::array<std::string_view, 9> kFollowUps{"and",      "what about", "how about",
                                                     "aur",      "what if",    "also for",
                                                     "same for", "and for",    "but what"};

bool begins_with(const Words& words, std::string_view phrase) {
  const Words wanted = words_of(phrase);
  return words.size() >= wanted.size() && std::equal(wanted.begin(), wanted.end(), words.begin());
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// A number as people write it from `at`: digits with commas and a decimal part. Nothing: no number.
std::optional<double> number_at(std::string_view text, std::size_t& at) {
  std::string digits;
  std::size_t i = at;
  for (; i < text.size() && digits.size() < 15; ++i) {
    const bool inner = (text[i] == ',' || text[i] == '.') && i + 1 < text.size() &&
                       is_digit(text[i + 1]) && !digits.empty();
    if (is_digit(text[i]) || (inner && text[i] == '.')) {
      digits += text[i];
    } else if (!inner) {
      break;
    }
  }
  if (digits.empty()) return std::nullopt;
  at = i;
  return std::strtod(digits.c_str(), nullptr);
}

std::optional<int64_t> amount_in(std::string_view lower) {
  constexpr std::array<std::string_view, 5> kBefore{"rs.", "rs", "inr", "₹", "rupees"};
  constexpr std::array<std::string_view, 6> kAfter{"rupees", "rupee", "rs", "inr", "/-", "bucks"};
  for (std::size_t i = 0; i < lower.size(); ++i) {
    if (!is_digit(lower[i]) || (i > 0 && (is_digit(lower[i - 1]) || lower[i - 1] == '-'))) continue;
    std::size_t end = i;
    const auto value = number_at(lower, end);
    if (!value) continue;
    std::string_view before = lower.substr(0, i), after = lower.substr(end);
    while (before.ends_with(' ')) before.remove_suffix(1);
    double scale = 1.0;
    bool scaled = false;
    while (after.starts_with(' ')) after.remove_prefix(1);
    const auto word_ends = [&](std::size_t n) {
      return after.size() == n || !((after[n] >= 'a' && after[n] <= 'z') || is_digit(after[n]));
    };
    if (after.starts_with("k") && word_ends(1)) {
      scale = 1e3, scaled = true, after.remove_prefix(1);
    } else if (after.starts_with("lakh")) {
      scale = 1e5, scaled = true, after.remove_prefix(4);
    } else if (after.starts_with("crore")) {
      scale = 1e7, scaled = true, after.remove_prefix(5);
    }
    while (after.starts_with(' ')) after.remove_prefix(1);
    const bool money = scaled ||
                       std::any_of(kBefore.begin(), kBefore.end(),
                                   [&](std::string_view w) { return before.ends_with(w); }) ||
                       std::any_of(kAfter.begin(), kAfter.end(),
                                   [&](std::string_view w) { return after.starts_with(w); });
    const bool with_comma = lower.substr(i, end - i).find(',') != std::string_view::npos;
    const double amount = *value * scale;
    if ((money || with_comma) && amount < 1e12) return std::llround(amount * 100.0);
    i = end;
  }
  return std::nullopt;
}

// "t-1042-1", "T 1042 1", "ticket 1042-1".
std::string ticket_in(std::string_view lower) {
  for (std::size_t i = 0; i < lower.size(); ++i) {
    const bool word_start = i == 0 || !((lower[i - 1] >= 'a' && lower[i - 1] <= 'z'));
    if (lower[i] != 't' || !word_start) continue;
    std::size_t at = i + 1;
    if (lower.substr(i).starts_with("ticket")) at = i + 6;
    const auto skip = [&] {
      while (at < lower.size() && (lower[at] == '-' || lower[at] == ' ' || lower[at] == '#')) ++at;
    };
    const auto digits = [&] {
      std::string found;
      while (at < lower.size() && is_digit(lower[at]) && found.size() < 12) found += lower[at++];
      return found;
    };
    skip();
    const std::string first = digits();
    if (first.empty()) continue;
    skip();
    const std::string second = digits();
    return "T-" + first + (second.empty() ? "" : "-" + second);
  }
  return "";
}

std::string last4_in(const Words& words) {
  for (std::size_t i = 0; i + 1 < words.size(); ++i) {
    const bool cue = words[i] == "ending" || words[i] == "ends" || words[i] == "last";
    for (std::size_t j = i + 1; cue && j < std::min(words.size(), i + 4); ++j) {
      const std::string& w = words[j];
      if (w.size() == 4 && std::all_of(w.begin(), w.end(), is_digit)) return w;
    }
  }
  return "";
}

std::string code_in(const Words& words) {
  std::string digits;
  for (const std::string& word : words) {
    if (word == ".") continue;
    if (std::all_of(word.begin(), word.end(), is_digit)) digits += word;
  }
  const bool short_message = words.size() <= 6;
  return short_message && digits.size() == 6 ? digits : "";
}

std::string named_in(const Words& words,
                     const std::map<std::string, std::vector<std::string>>& known) {
  std::string found;
  std::size_t length = 0;
  for (const auto& [name, spellings] : known) {
    const auto better = [&](const std::string& spelling) {
      if (spelling.size() <= length || !has_phrase(words, spelling)) return;
      found = name;
      length = spelling.size();
    };
    better(name);
    for (const std::string& spelling : spellings) better(spelling);
  }
  return found;
}

bool other_script(char32_t c) {
  return (c >= 0x370 && c < 0x1E00) || (c >= 0x2E80 && c < 0xD7B0) || (c >= 0xF900 && c < 0xFE00) ||
         (c >= 0x20000 && c < 0x30000);
}

bool foreign(std::string_view text, const Words& words) {
  const std::u32string letters = normalise(text);
  const auto strange = std::count_if(letters.begin(), letters.end(), other_script);
  if (strange >= 3 && strange * 3 >= static_cast<std::ptrdiff_t>(letters.size())) return true;
  const auto known = std::count_if(words.begin(), words.end(), [](const std::string& w) {
    return std::find(kForeign.begin(), kForeign.end(), w) != kForeign.end();
  });
  return known >= 2 && known * 5 >= static_cast<std::ptrdiff_t>(words.size()) * 2;
}

bool any_of_words(const Words& words, const auto& list) {
  return std::any_of(words.begin(), words.end(), [&](const std::string& w) {
    return std::find(list.begin(), list.end(), w) != list.end();
  });
}

// Without apostrophes, straight or curly: many people leave them out.
std::string without_apostrophes(std::string_view text) {
  constexpr std::string_view kCurly = "\u2019";
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text.substr(i).starts_with(kCurly)) {
      i += kCurly.size() - 1;
    } else if (text[i] != '\'') {
      out += text[i];
    }
  }
  return out;
}

// Where a word begins in a text, or npos; "sons" is not in "reasons".
std::size_t word_at(std::string_view text, std::string_view word) {
  std::size_t at = text.find(word);
  while (at != std::string_view::npos && at > 0 && text[at - 1] != ' ')
    at = text.find(word, at + 1);
  return at;
}

// "tell me my wife's balance": a relation, behind it what is private, and a demand.
bool wants_others_data(std::string_view lower, const Words& words) {
  if (count_of(words, kOthersData) > 0) return true;
  if (!any_of_words(words, kDemands)) return false;
  const std::string plain = without_apostrophes(lower);
  std::size_t at = std::string::npos, length = 0;
  for (const std::string_view relation : kRelations) {
    const std::string word = without_apostrophes(relation) + " ";
    at = word_at(plain, word);
    length = word.size();
    if (at != std::string::npos) break;
  }
  if (at == std::string::npos) return false;
  const std::string_view behind = std::string_view(plain).substr(at + length, 30);
  return std::any_of(kPrivate.begin(), kPrivate.end(), [&](std::string_view what) {
    return behind.find(what) != std::string_view::npos;
  });
}

double sentiment_of(std::string_view text, const Words& words) {
  const auto angry = static_cast<double>(count_of(words, kAngry));
  const auto pleased = static_cast<double>(count_of(words, kPleased));
  std::size_t upper = 0, letters = 0, marks = 0;
  for (const char c : text) {
    if (c >= 'A' && c <= 'Z') ++upper;
    if ((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z')) ++letters;
    if (c == '!') ++marks;
  }
  const bool shouts = letters >= 12 && upper * 10 >= letters * 7;
  const double score =
      0.4 * pleased - 0.4 * angry - (shouts ? 0.4 : 0.0) - (marks >= 2 ? 0.2 : 0.0);
  return std::clamp(score, -1.0, 1.0);
}

}  // namespace

bool has_phrase(const std::vector<std::string>& words, std::string_view phrase) {
  const Words wanted = words_of(phrase);
  return !wanted.empty() &&
         std::search(words.begin(), words.end(), wanted.begin(), wanted.end()) != words.end();
}

Clues clues_of(std::string_view text, const SupportConfig& config) {
  Clues clues;
  const Words words = words_of(text);
  clues.words = static_cast<std::size_t>(
      std::count_if(words.begin(), words.end(), [](const auto& w) { return w != "."; }));
  std::string lower(text.substr(0, 4000));
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  clues.entities.amount_minor = amount_in(lower);
  clues.entities.issuer = named_in(words, config.issuers);
  clues.entities.method = named_in(words, config.methods);
  clues.entities.ticket_id = ticket_in(lower);
  clues.entities.last4 = last4_in(words);
  clues.entities.code = code_in(words);
  clues.sentiment = sentiment_of(text, words);
  clues.abusive = count_of(words, kAbuse) > 0;
  const bool few = clues.words <= 7;
  clues.cancels = few && count_of(words, kCancels) > 0;
  clues.corrects = count_of(words, kCorrects) > 0;
  clues.yes = clues.words <= 3 && count_of(words, kYes) > 0;
  clues.no = clues.words <= 3 && count_of(words, kNo) > 0;
  clues.begins_as_follow_up =
      std::any_of(kFollowUps.begin(), kFollowUps.end(),
                  [&](std::string_view phrase) { return begins_with(words, phrase); });
  clues.foreign = foreign(text, words);
  clues.steers = count_of(words, kSteers) > 0 || lower.find("<script") != std::string::npos ||
                 (has_phrase(words, "select") && has_phrase(words, "from") &&
                  lower.find('*') != std::string::npos);
  clues.others_data = wants_others_data(lower, words);
  clues.thanks = few && count_of(words, kThanks) > 0;
  clues.greets = clues.words <= 6 &&
                 std::any_of(kGreetings.begin(), kGreetings.end(), [&](std::string_view greeting) {
                   return begins_with(words, greeting);
                 });
  const bool civility = begins_with(words, "how are you") || begins_with(words, "kaise ho");
  clues.small_talk_only =
      (clues.greets || clues.thanks) && (clues.words <= 3 || (clues.greets && civility));
  const bool question_mark = text.find('?') != std::string_view::npos;
  clues.asks = question_mark || (!words.empty() && any_of_words({words.front()}, kQuestionWords));
  clues.how_to = count_of(words, kHowTo) > 0;
  return clues;
}

}  // namespace payops::support_agent
