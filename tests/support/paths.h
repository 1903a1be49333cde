// Where the tests find the sources and the built program. Only `paths.cc` knows, so that the
// objects of all other tests are the same in every checkout and the compiler cache shares them.
#pragma once

#include <string>

namespace payops::testing {

// The file `relative` of the source tree, as an absolute path.
std::string source_path(const std::string& relative);

// The program `payops` of this build tree.
std::string payops_program();

}  // namespace payops::testing
