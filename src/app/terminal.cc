#include "terminal.h"

#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <csignal>
#include <cstdio>
#include <cstdlib>

#include "payops/core/clock.h"
#include "payops/core/money.h"
#include "payops/core/text.h"

namespace payops::app {
namespace {

volatile std::sig_atomic_t g_stop = 0;
volatile std::sig_atomic_t g_kill = -1;

void on_stop(int number) {
  if (g_stop != 0) _exit(128 + number);
  g_stop = 1;
}
void on_kill_switch(int number) { g_kill = number == SIGUSR1 ? 1 : 0; }

std::size_t columns(std::string_view text) {
  std::size_t n = 0;
  for (const char c : text) n += (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  return n;
}

}  // namespace

Terminal::Terminal() : colour_(isatty(STDOUT_FILENO) != 0 && std::getenv("NO_COLOR") == nullptr) {}

std::string Terminal::styled(Style style, std::string_view text) const {
  static constexpr const char* kCodes[] = {"",         "\x1b[1m",  "\x1b[2m",
                                           "\x1b[32m", "\x1b[33m", "\x1b[31;1m"};
  if (!colour_ || style == Style::plain) return std::string(text);
  return kCodes[static_cast<int>(style)] + std::string(text) + "\x1b[0m";
}

Progress::Progress(std::string what)
    : what_(std::move(what)), active_(isatty(STDERR_FILENO) != 0) {}

Progress::~Progress() {
  if (shown_) std::fprintf(stderr, "\r\x1b[K");
}

void Progress::update(const std::string& state) {
  if (!active_) return;
  const int64_t now = SystemClock().now_ms();
  if (now - last_ms_ < 200) return;
  last_ms_ = now;
  shown_ = true;
  std::fprintf(stderr, "\r\x1b[K%s: %s", what_.c_str(), state.c_str());
  std::fflush(stderr);
}

void Signals::install() {
  struct sigaction action {};
  action.sa_handler = on_stop;
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
  action.sa_handler = on_kill_switch;
  sigaction(SIGUSR1, &action, nullptr);
  sigaction(SIGUSR2, &action, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
}

bool Signals::stop_requested() { return g_stop != 0; }

int Signals::take_kill_request() {
  const int request = g_kill;
  g_kill = -1;
  return request;
}

std::string pad(std::string_view text, std::size_t width) {
  const std::size_t have = columns(text);
  if (have >= width) return std::string(text);
  return std::string(text) + std::string(width - have, ' ');
}

std::string pad_left(std::string_view text, std::size_t width) {
  const std::size_t have = columns(text);
  return have >= width ? std::string(text) : std::string(width - have, ' ') + std::string(text);
}

std::string money(double amount_minor, std::string_view currency) {
  std::string digits = major_text(std::abs(amount_minor), currency);
  for (std::size_t at = std::min(digits.find('.'), digits.size()); at > 3; at -= 3) {
    digits.insert(at - 3, ",");
  }
  return (amount_minor < 0 ? "-" : "") + std::string(currency) + " " + digits;
}

}  // namespace payops::app
