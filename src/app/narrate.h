// Cycles and stories in words: what an operator reads on the terminal, and what the end of a run
// sums up.
#pragma once

#include <string>
#include <vector>

#include "payops/payments_agent/cycle_report.h"
#include "terminal.h"

namespace payops::app {

// One cycle: a headline, a line per issuer (and per method or gateway in trouble), what is known,
// what is done about it and what it is worth.
[[nodiscard]] std::string cycle_text(const payments_agent::CycleReport& report,
                                     const std::string& currency, const Terminal& terminal);

// "reroute_traffic of issuer HDFC to RAZORPAY, 25 % of customers"
[[nodiscard]] std::string describe_action(const std::string& type, const Scope& scope,
                                          const std::map<std::string, std::string>& params,
                                          double strength);

// "INR 1,200.00 (90 %: 300.00 to 2,100.00)"
[[nodiscard]] std::string describe_value(const Predicted& value, const std::string& currency);

[[nodiscard]] std::string percent(double share, int decimals = 1);
// What an alarm's detector observed or expected, in its unit: payments a second of volume, of all
// else a share ("31.2 %"), of latency too, whose detector counts the attempts that are slow.
[[nodiscard]] std::string alarm_quantity(const Alarm& alarm, double value);
[[nodiscard]] std::string clock_time(int64_t ts_ms);  // "14:02:05", UTC

}  // namespace payops::app
