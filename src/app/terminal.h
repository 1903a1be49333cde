// The terminal as the program sees it: colour and progress only where a person is looking.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>

namespace payops::app {

enum class Style { plain, bold, dim, good, warn, bad };

class Terminal {
 public:
  // Colour when stdout is a terminal and NO_COLOR is unset.
  Terminal();
  [[nodiscard]] bool colour() const { return colour_; }
  [[nodiscard]] std::string styled(Style style, std::string_view text) const;

 private:
  bool colour_;
};

// A line on stderr that is rewritten, at most five times a second, and only on a terminal.
class Progress {
 public:
  explicit Progress(std::string what);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  void update(const std::string& state);

 private:
  std::string what_;
  bool active_;
  bool shown_ = false;
  int64_t last_ms_ = 0;
};

// Ctrl-C and SIGTERM ask the process to stop cleanly; a second one ends it at once. SIGUSR1 and
// SIGUSR2 throw the kill switch on and off.
struct Signals {
  static void install();
  [[nodiscard]] static bool stop_requested();
  // -1 nothing new, 0 off, 1 on; reading it clears it.
  [[nodiscard]] static int take_kill_request();
};

// Text of `width` columns, cut or padded on the right (left: pad on the left). Counts UTF-8
// characters.
[[nodiscard]] std::string pad(std::string_view text, std::size_t width);
[[nodiscard]] std::string pad_left(std::string_view text, std::size_t width);

// "₹1,234.50"-like: a currency code, thousands separated, from minor units.
[[nodiscard]] std::string money(double amount_minor, std::string_view currency);

}  // namespace payops::app
