// How a window's counts become readings against a baseline. Internal to reasoning.
#pragma once

#include "series.h"

namespace payops::reasoning {

// Success as it would be with the usual share of customer-caused declines: an empty account says
// nothing of the path. Expected for the mix of paths that the window saw.
[[nodiscard]] Reading success_reading(const Tally& t, const Baseline& b, bool warming_up);
[[nodiscard]] Reading retry_reading(const Tally& t, const Baseline& b, bool warming_up);
// `higher_is_worse` gives z its sign; no z without a sigma.
[[nodiscard]] Reading reading(Signal signal, double value, double baseline, double sigma,
                              bool higher_is_worse, bool warming_up);

}  // namespace payops::reasoning
