// People told of incidents, as a process on Kafka: it reads payops.alerts and hands what is to be
// said to the channels of the configuration. One of several speaks at a time (a lease of its own);
// what was said is in <state>/notify.json, so that a restart says nothing twice.
#pragma once

#include <functional>
#include <string>

#include "app_config.h"
#include "payops/core/result.h"
#include "payops/notify/message.h"

namespace payops::app {

struct NotifyProcessSpec {
  AppConfig config;
  std::function<bool()> stop = [] { return false; };
  std::function<void(const std::string& channel, const notify::Message&, const notify::Delivery&)>
      on_delivery = [](const std::string&, const notify::Message&, const notify::Delivery&) {};
  std::function<void(const std::string&)> on_note = [](const std::string&) {};
  std::function<void(const std::string&)> on_trouble = [](const std::string&) {};
};

// Runs until told to stop. Blocks. Where nothing was read before, neither by this state directory
// nor by its group, it begins at the topic's end: what is long over is told to nobody. Errors:
// config, for channels and secrets; unavailable when Kafka cannot be reached at the start;
// not_found for topics; corrupt for a journal that is none.
[[nodiscard]] Status run_notify(const NotifyProcessSpec& spec);

}  // namespace payops::app
