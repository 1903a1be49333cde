// payops intents: train and evaluate the support agent's intent classifier.
#include "cmd_intents.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>

#include "intent_data.h"
#include "payops/core/json_fields.h"
#include "payops/core/text.h"
#include "payops/support_agent/intent_score.h"

namespace payops::app {
namespace {

using support_agent::IntentModel;
using support_agent::IntentOutcome;
using support_agent::IntentScore;

struct IntentOptions {
  std::string data = "config/support/intents";
  std::string oos;
  std::string model;
  uint64_t seed = 1;
  bool json = false;
};

// Whole or not at all: a program that starts meanwhile reads the old model or the new one.
Status write_model(const std::string& path, const std::string& bytes) {
  const std::string temporary = path + ".new";
  std::ofstream out(temporary, std::ios::binary | std::ios::trunc);
  out << bytes << std::flush;
  std::error_code error;
  if (out) std::filesystem::rename(temporary, path, error);
  if (!out || error) {
    return fail(ErrorCode::unavailable,
                path + ": cannot be written: " + (out ? error.message() : std::strerror(errno)));
  }
  return {};
}

int train(const IntentOptions& options) {
  auto data = read_intent_data(options.data);
  if (!data) return report_local(data.error());
  if (!options.oos.empty()) {
    const auto outsiders = read_out_of_scope(options.oos);
    if (!outsiders) return report_local(outsiders.error());
    data->messages.insert(data->messages.end(), outsiders->begin(), outsiders->end());
  }
  const auto begun = std::chrono::steady_clock::now();
  const auto seconds = [&] {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
  };
  const auto model = IntentModel::train(
      data->intents, data->messages, {}, options.seed, [&](const std::string& stage) {
        std::fprintf(stderr, "%6.1f s  training: %s\n", seconds(), stage.c_str());
      });
  if (!model) {
    return report_local({model.error().code, false, options.data + ": " + model.error().message});
  }
  const std::string bytes = model->to_bytes();
  if (Status status = write_model(options.model, bytes); !status) {
    return report_local(status.error());
  }
  const auto& c = model->calibration();
  std::printf("%s: %zu intents, %zu n-grams, %.1f MB, trained in %.1f s\n", options.model.c_str(),
              model->intents().size(), model->features().rows(),
              static_cast<double>(bytes.size()) / 1e6, seconds());
  std::printf(
      "calibrated on %u held-out messages: temperature %.3f, calibration error %.3f (%.3f "
      "before)\n",
      c.held_out, c.temperature, c.ece_after, c.ece_before);
  if (c.out_of_scope > 0) {
    std::printf("abstains below %.3f, by %u out-of-scope messages\n", c.threshold, c.out_of_scope);
  } else {
    std::printf("never abstains from words it knows: no out-of-scope messages were given\n");
  }
  return kExitDone;
}

struct Evaluation {
  IntentScore score;
  double p50_us = 0.0, p99_us = 0.0;
};

Evaluation evaluate_model(const IntentModel& model,
                          const std::vector<support_agent::LabelledText>& messages) {
  std::vector<IntentOutcome> outcomes;
  std::vector<double> times_us;
  for (const auto& message : messages) {
    const auto begun = std::chrono::steady_clock::now();
    const auto said = model.predict(message.text);
    const auto taken = std::chrono::steady_clock::now() - begun;
    times_us.push_back(std::chrono::duration<double, std::micro>(taken).count());
    outcomes.push_back(
        {message.intent, said.intent, static_cast<double>(said.confidence), said.abstains});
  }
  std::sort(times_us.begin(), times_us.end());
  return {score_intents(outcomes, model.intents()), times_us[times_us.size() / 2],
          times_us[times_us.size() * 99 / 100]};
}

void print_table(const Evaluation& e) {
  const IntentScore& s = e.score;
  std::printf("in scope       %6u messages\n", s.in_scope);
  std::printf("out of scope   %6u messages\n", s.out_of_scope);
  std::printf("accuracy       %6.2f %%  in scope; abstaining counts as wrong\n", 100 * s.accuracy);
  std::printf("macro F1       %6.2f %%\n", 100 * s.macro_f1);
  std::printf("oos recall     %6.2f %%\n", 100 * s.oos_recall);
  std::printf("ECE            %6.2f %%\n", 100 * s.ece);
  std::printf("p50, p99       %6.1f us, %.1f us a message\n", e.p50_us, e.p99_us);
  if (!s.confusions.empty()) std::printf("\n%6s  %-42s %s\n", "COUNT", "CATEGORY", "PREDICTED");
  for (const auto& c : s.confusions) {
    std::printf("%6u  %-42s %s\n", c.count, c.category.c_str(), c.predicted.c_str());
  }
}

int evaluate(const IntentOptions& options) {
  const auto bytes = read_file(options.model);
  if (!bytes) return report_local(bytes.error());
  const auto model = IntentModel::from_bytes(*bytes, options.model);
  if (!model) return report_local(model.error());
  const auto messages = read_messages(options.data, model->intents());
  if (!messages) return report_local(messages.error());
  const Evaluation e = evaluate_model(*model, *messages);
  if (!options.json) {
    print_table(e);
    return kExitDone;
  }
  const nlohmann::ordered_json out{{"accuracy", e.score.accuracy},
                                   {"macro_f1", e.score.macro_f1},
                                   {"oos_recall", e.score.oos_recall},
                                   {"ece", e.score.ece},
                                   {"p50_us", e.p50_us},
                                   {"p99_us", e.p99_us},
                                   {"confusions", to_json(e.score.confusions)}};
  std::printf("%s\n", out.dump(2).c_str());
  return kExitDone;
}

}  // namespace

void add_intents_command(CLI::App& app, Command& command) {
  auto options = std::make_shared<IntentOptions>();
  CLI::App* sub = app.add_subcommand("intents", "Train and evaluate what understands customers");
  sub->require_subcommand(1);
  sub->footer("Example: payops intents train --model intents.model --seed 1");
  CLI::App* train_app = sub->add_subcommand("train", "Learn intents from examples");
  train_app
      ->add_option("--data", options->data,
                   "CSV with the columns text and category (oos: out of scope) and perhaps class; "
                   "or a folder of examples")
      ->capture_default_str();
  train_app->add_option("--oos", options->oos, "CSV of more out-of-scope messages, column text");
  train_app->add_option("--model", options->model, "Where the model goes")->required();
  train_app->add_option("--seed", options->seed, "Same seed, same model")->capture_default_str();
  train_app->callback([&command, options] { command = [options] { return train(*options); }; });
  CLI::App* evaluate_app = sub->add_subcommand("evaluate", "How well a model does on messages");
  evaluate_app->add_option("--model", options->model, "The model")->required();
  evaluate_app->add_option("--data", options->data, "CSV or folder, as for train")->required();
  evaluate_app->add_flag("--json", options->json, "One JSON document on stdout");
  evaluate_app->callback(
      [&command, options] { command = [options] { return evaluate(*options); }; });
}

}  // namespace payops::app
