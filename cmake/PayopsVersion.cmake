# Run at every build: writes OUT, the definition of payops::app::kVersion, when it would change. The
# commit is part of it, so that two builds can be told apart in the audit log.
#   cmake -DSOURCE=DIR -DVERSION=0.1.0 -DOUT=FILE -P PayopsVersion.cmake
execute_process(COMMAND git -C ${SOURCE} describe --always --dirty=-changed --exclude=*
  OUTPUT_VARIABLE commit OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
set(name "payops ${VERSION}")
if(commit)
  string(APPEND name "+${commit}")
endif()
file(CONFIGURE OUTPUT ${OUT} CONTENT [[
#include "version.h"

namespace payops::app {
const char* const kVersion = "@name@";
}
]] @ONLY)
