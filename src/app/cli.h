// How a subcommand plugs into the program: it declares its options and what to run. Exit statuses
// are the same everywhere.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <string>

#include "payops/core/result.h"

namespace payops::app {

inline constexpr int kExitDone = 0;         // done, or yes
inline constexpr int kExitNo = 1;           // the answer is no
inline constexpr int kExitUsage = 2;        // usage or configuration
inline constexpr int kExitUnavailable = 3;  // a needed service cannot be reached

// What main() runs once the command line is parsed.
using Command = std::function<int()>;

// Of an option that is a number: within bounds, and no NaN, which CLI11's own checks let pass.
[[nodiscard]] CLI::Validator between(double least, double most);
[[nodiscard]] CLI::Validator positive_number();
[[nodiscard]] CLI::Validator non_negative_number();

// The exit status that fits an error.
int exit_status(const Error& error);
// Prints "payops: message" to stderr and gives the exit status.
int report(const Error& error);
// The same for a command that needs no service: files that cannot be read or written are the
// caller's to mend.
int report_local(const Error& error);

void add_run_command(CLI::App& app, Command& command);
void add_demo_command(CLI::App& app, Command& command);
void add_broker_command(CLI::App& app, Command& command);
void add_topics_command(CLI::App& app, Command& command);
void add_simulate_command(CLI::App& app, Command& command);
void add_agent_command(CLI::App& app, Command& command);
void add_verdict_commands(CLI::App& app, Command& command);  // approve, reject, kill, keys
void add_users_command(CLI::App& app, Command& command);
void add_notify_command(CLI::App& app, Command& command);
void add_top_command(CLI::App& app, Command& command);
void add_audit_command(CLI::App& app, Command& command);
void add_explain_command(CLI::App& app, Command& command);
void add_replay_command(CLI::App& app, Command& command);
void add_config_command(CLI::App& app, Command& command);
void add_graph_command(CLI::App& app, Command& command);
void add_state_command(CLI::App& app, Command& command);
void add_learned_command(CLI::App& app, Command& command);
void add_detect_command(CLI::App& app, Command& command);
void add_backtest_command(CLI::App& app, Command& command);
void add_evaluate_command(CLI::App& app, Command& command);
void add_attribute_command(CLI::App& app, Command& command);
void add_intents_command(CLI::App& app, Command& command);
void add_bench_command(CLI::App& app, Command& command);

}  // namespace payops::app
