#include "password.h"

#include <termios.h>
#include <unistd.h>

#include <cstdio>
#include <iostream>

namespace payops::app {

std::string asked_password() {
  termios before{};
  const bool terminal = isatty(STDIN_FILENO) != 0 && tcgetattr(STDIN_FILENO, &before) == 0;
  if (terminal) {
    termios quiet = before;
    quiet.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    (void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet);
    std::fprintf(stderr, "password: ");
  }
  std::string password;
  std::getline(std::cin, password);
  if (terminal) {
    (void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
    std::fprintf(stderr, "\n");
  }
  return password;
}

}  // namespace payops::app
