// payops intents, of the support agent.
#pragma once

#include "cli.h"

namespace payops::app {

void add_intents_command(CLI::App& app, Command& command);

}  // namespace payops::app
