// The subcommands of the support agent.
#pragma once

#include "cli.h"

namespace payops::app {

void add_support_command(CLI::App& app, Command& command);
void add_chat_command(CLI::App& app, Command& command);  // and simulate-chats
void add_faq_command(CLI::App& app, Command& command);
void add_stories_command(CLI::App& app, Command& command);

}  // namespace payops::app
