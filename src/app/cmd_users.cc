// payops users: who may sign in to the console.
#include <cstdio>
#include <memory>
#include <string>

#include "app_config.h"
#include "cli.h"
#include "password.h"
#include "payops/api/access.h"

namespace payops::app {
namespace {

struct UsersOptions {
  std::string name;
  std::string role = "viewer";
  std::string file = api::ConsoleConfig{}.users_file;
  bool random = false;
};

int add(const UsersOptions& options) {
  const std::string password = options.random ? api::random_password() : asked_password();
  const Status added =
      api::add_user(options.file, options.name, *parse_enum<api::Role>(options.role), password);
  if (!added) return report_local(added.error());
  std::fprintf(stderr, "%s may sign in as %s; %s\n", options.name.c_str(), options.role.c_str(),
               options.file.c_str());
  if (options.random) std::printf("%s\n", password.c_str());
  return kExitDone;
}

int list(const UsersOptions& options) {
  const auto users = api::load_users(options.file);
  if (!users) return report_local(users.error());
  for (const auto& [name, user] : *users) {
    std::printf("%-10s %s\n", std::string(name_of(user.role)).c_str(), name.c_str());
  }
  return kExitDone;
}

}  // namespace

void add_users_command(CLI::App& app, Command& command) {
  CLI::App* users = app.add_subcommand("users", "Who may sign in to the console");
  users->require_subcommand(1);
  users->footer("Example: payops users add asha --role approver");
  const std::string file_help = "The users, as console.users_file names it";
  {
    auto options = std::make_shared<UsersOptions>();
    CLI::App* sub = users->add_subcommand("add", "Add a user, or give one a new role and password");
    sub->add_option("NAME", options->name, "Letters, digits and . _ - @")->required();
    sub->add_option("--role", options->role, "What the user may do")
        ->capture_default_str()
        ->check(CLI::IsMember({"viewer", "operator", "approver", "auditor", "admin", "customer",
                               "support_agent", "support_manager", "channel"}));
    sub->add_option("--file", options->file, file_help)->capture_default_str();
    sub->add_flag("--random", options->random, "Make a password and print it");
    sub->footer(
        "Asks for the password, or reads a line of stdin where there is no terminal.\n"
        "Example: payops users add asha --role approver");
    sub->callback([&command, options] { command = [options] { return add(*options); }; });
  }
  {
    auto options = std::make_shared<UsersOptions>();
    CLI::App* sub = users->add_subcommand("list", "Names and roles");
    sub->add_option("--file", options->file, file_help)->capture_default_str();
    sub->footer("Example: payops users list");
    sub->callback([&command, options] { command = [options] { return list(*options); }; });
  }
}

}  // namespace payops::app
