"""Where OpenSSL's command is: tests that hold us against it are skipped where there is none."""

import shutil

import pytest

OPENSSL = pytest.mark.skipif(shutil.which("openssl") is None, reason="there is no openssl command")
