// What the support agent is told: config/support.yaml's part `agent`.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "payops/core/fields.h"
#include "payops/core/result.h"
#include "payops/model/topology.h"

namespace payops::support_agent {

// Which messages an agent gets: those of the intents it names, then those of the classes it names.
struct AgentEntry {
  std::string name;
  std::vector<std::string> intents;
  std::vector<std::string> classes;  // FAQ, ACCOUNT, COMPLAINT, UNKNOWN
  static constexpr auto fields() {
    return std::make_tuple(field("name", &AgentEntry::name), field("intents", &AgentEntry::intents),
                           field("classes", &AgentEntry::classes));
  }
};

struct SupportConfig {
  uint64_t seed = 1;  // of ids
  std::string bank = "the bank";
  std::string helpline = "Tele-MANAS 14416 (free, day and night), or 112 in an emergency";
  int32_t utc_offset_min = 330;    // of the times told to customers
  std::vector<AgentEntry> agents;  // empty: default_agents()
  double answer_above = 0.45;      // FAQ confidence from which an article is quoted
  double offer_above = 0.15;       // from which the nearest three are offered
  double session_idle_s = 1800.0;  // then it is closed
  double verified_s = 600.0;       // how long a step-up check holds
  double code_s = 300.0;           // how long a one-time code is good
  int32_t code_tries = 3;
  int32_t failures_to_person = 3;    // messages in a row not understood, then a person is offered
  int32_t messages_per_minute = 30;  // of one user; beyond, a polite refusal
  int32_t sessions_max = 20'000;     // open at once; the longest silent one is closed
  int32_t remembered_messages = 4'096;   // ids whose repeat gets the same reply
  double handover_cost_minor = 6'000.0;  // what a chat costs that a person handles
  std::map<std::string, std::vector<std::string>> issuers;  // name -> how customers write it
  std::map<std::string, std::vector<std::string>> methods;  // likewise
  Topology topology;  // what gateways share: whose payments a fault of an upstream hits
  [[nodiscard]] Status validate() const;
  static constexpr auto fields() {
    using C = SupportConfig;
    return std::make_tuple(
        field("seed", &C::seed), field("bank", &C::bank), field("helpline", &C::helpline),
        field("utc_offset_min", &C::utc_offset_min), field("agents", &C::agents),
        field("answer_above", &C::answer_above), field("offer_above", &C::offer_above),
        field("session_idle_s", &C::session_idle_s), field("verified_s", &C::verified_s),
        field("code_s", &C::code_s), field("code_tries", &C::code_tries),
        field("failures_to_person", &C::failures_to_person),
        field("messages_per_minute", &C::messages_per_minute),
        field("sessions_max", &C::sessions_max),
        field("remembered_messages", &C::remembered_messages),
        field("handover_cost_minor", &C::handover_cost_minor), field("issuers", &C::issuers),
        field("methods", &C::methods), field("topology", &C::topology));
  }
};

// person, payment_status, account, ticket, faq, fallback: which intents and classes each takes.
[[nodiscard]] std::vector<AgentEntry> default_agents();

}  // namespace payops::support_agent
