# Embeds the console's built page, dashboards/console/dist, where there is one: writes OUT, a C++
# file with the bytes of every file.
#   cmake -DDIST=DIR -DOUT=FILE -P PayopsPage.cmake
file(GLOB_RECURSE files RELATIVE ${DIST} ${DIST}/*)
list(SORT files)
set(arrays "")
set(entries "")
set(count 0)
foreach(file IN LISTS files)
  file(READ ${DIST}/${file} hex HEX)
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${hex}")
  if(bytes STREQUAL "")
    continue()
  endif()
  file(SIZE ${DIST}/${file} size)
  string(APPEND arrays "const unsigned char kFile${count}[] = {${bytes}};\n")
  string(APPEND entries "    {\"/${file}\", kFile${count}, ${size}},\n")
  math(EXPR count "${count} + 1")
endforeach()
if(count EQUAL 0)
  set(entries "    {nullptr, nullptr, 0},\n")
endif()
file(CONFIGURE OUTPUT ${OUT} CONTENT [[
#include "page.h"

namespace payops::api {
namespace {
@arrays@
}  // namespace

const EmbeddedFile kPageFiles[] = {
@entries@};
const std::size_t kPageFileCount = @count@;
}  // namespace payops::api
]] @ONLY)
