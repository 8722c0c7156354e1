// The Python program of launcher.py, embedded when offpeak is built.
#pragma once

namespace offpeak {

extern const char* const kEngineLauncher;

}  // namespace offpeak
