// What --version says and every step records: "payops 0.1.0+8bec637", with "-changed" for sources
// that differ from that commit; without the commit where the sources lie outside git.
#pragma once

namespace payops::app {
extern const char* const kVersion;
}
