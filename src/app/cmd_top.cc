// payops top: the console's view Now in a terminal.
#include <sys/ioctl.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <thread>

#include "cli.h"
#include "console_client.h"
#include "password.h"
#include "payops/core/clock.h"
#include "terminal.h"
#include "top.h"

namespace payops::app {
namespace {

struct TopOptions {
  std::string address = "http://localhost:8080";
  std::string user;
  double interval_s = 1.0;
  bool once = false;
  bool json = false;
};

std::string from_environment(const char* variable) {
  const char* value = std::getenv(variable);
  return value != nullptr ? value : "";
}

// A terminal that can be written over.
bool can_redraw() {
  const std::string term = from_environment("TERM");
  return isatty(STDOUT_FILENO) != 0 && !term.empty() && term != "dumb";
}

TopScreen screen_now(bool redraw) {
  TopScreen screen;
  winsize size{};
  if (isatty(STDOUT_FILENO) != 0 && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 &&
      size.ws_col > 0) {
    screen.columns = size.ws_col;
    if (redraw && size.ws_row > 1) screen.rows = size.ws_row - 1U;
  } else {
    screen.columns = 120;
  }
  for (const char* variable : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    const std::string locale = from_environment(variable);
    if (locale.empty()) continue;
    screen.unicode = redraw && (locale.find("UTF-8") != std::string::npos ||
                                locale.find("utf8") != std::string::npos);
    break;
  }
  return screen;
}

// The terminal's other screen, and back on every way out.
class OtherScreen {
 public:
  explicit OtherScreen(bool on) : on_(on) {
    if (on_) std::fputs("\x1b[?1049h\x1b[?25l", stdout);
  }
  ~OtherScreen() {
    if (on_) std::fputs("\x1b[?25h\x1b[?1049l", stdout);
    std::fflush(stdout);
  }
  OtherScreen(const OtherScreen&) = delete;
  OtherScreen& operator=(const OtherScreen&) = delete;
  void show(const std::string& text) const {
    if (on_) {
      std::string lines = "\x1b[H";
      for (const char c : text) lines += c == '\n' ? "\x1b[K\n" : std::string(1, c);
      std::fputs((lines + "\x1b[J").c_str(), stdout);
    } else {
      std::fputs((text + "\n").c_str(), stdout);
    }
    std::fflush(stdout);
  }

 private:
  bool on_;
};

// Waits, and notices being told to stop.
void pause_for(double seconds) {
  const int64_t until_ms = SystemClock().now_ms() + static_cast<int64_t>(seconds * 1000.0);
  while (!Signals::stop_requested() && SystemClock().now_ms() < until_ms) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
}

Status sign_in(ConsoleClient& client, const std::string& user, const std::string& password) {
  if (const std::string token = from_environment("PAYOPS_TOKEN"); !token.empty()) {
    client.use_token(token);
    return {};
  }
  return client.sign_in(user, password);
}

int watch(const TopOptions& options, ConsoleClient& client, const std::string& user,
          const std::string& password) {
  const Terminal terminal;
  const bool redraw = can_redraw();
  const OtherScreen other(redraw);
  Json state;
  while (!Signals::stop_requested()) {
    auto snapshot = client.snapshot();
    if (!snapshot && snapshot.error().code == ErrorCode::refused) {  // a token lasts minutes
      if (Status again = sign_in(client, user, password); again) snapshot = client.snapshot();
    }
    TopScreen screen = screen_now(redraw);
    if (snapshot) {
      state = (*snapshot)["state"];
    } else {
      screen.unreachable = snapshot.error().message;
    }
    other.show(top_text(state, screen, terminal));
    pause_for(options.interval_s);
  }
  return kExitDone;
}

int top(const TopOptions& options) {
  auto client = ConsoleClient::at(options.address);
  if (!client) return report(client.error());
  std::string user = options.user, password = from_environment("PAYOPS_PASSWORD");
  if (from_environment("PAYOPS_TOKEN").empty()) {
    if (user.empty()) {
      return report({.code = ErrorCode::usage,
                     .retryable = false,
                     .message = "--user names who signs in; PAYOPS_PASSWORD may hold the password, "
                                "or PAYOPS_TOKEN a token"});
    }
    if (password.empty()) password = asked_password();
  }
  if (Status in = sign_in(*client, user, password); !in) return report(in.error());
  if (!options.once) return watch(options, *client, user, password);
  const auto snapshot = client->snapshot();
  if (!snapshot) return report(snapshot.error());
  if (options.json) {
    std::printf("%s\n", dump(*snapshot).c_str());
  } else {
    std::fputs(top_text((*snapshot)["state"], screen_now(false), Terminal()).c_str(), stdout);
  }
  return kExitDone;
}

}  // namespace

void add_top_command(CLI::App& app, Command& command) {
  auto options = std::make_shared<TopOptions>();
  CLI::App* sub = app.add_subcommand("top", "What the console shows under Now, in a terminal");
  sub->add_option("--address", options->address, "The console's")->capture_default_str();
  sub->add_option("--user", options->user, "Who signs in; the password is asked for");
  sub->add_option("--interval", options->interval_s, "Seconds between two looks")
      ->capture_default_str()
      ->check(between(0.2, 3600.0));
  CLI::Option* once = sub->add_flag("--once", options->once, "Look once and end");
  sub->add_flag("--json", options->json, "The snapshot as one JSON document on stdout")
      ->needs(once);
  sub->footer(
      "Example: payops top --user asha\n"
      "PAYOPS_PASSWORD or PAYOPS_TOKEN in the environment go before asking. Ctrl-C ends it.");
  sub->callback([&command, options] { command = [options] { return top(*options); }; });
}

}  // namespace payops::app
