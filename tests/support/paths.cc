#include "support/paths.h"

namespace payops::testing {

std::string source_path(const std::string& relative) {
  return std::string(PAYOPS_SOURCE_DIR) + "/" + relative;
}

std::string payops_program() { return PAYOPS_BINARY; }

}  // namespace payops::testing
