"""Keeps processes on the loopback: Python imports this on start if the folder is on its path."""

import socket

from tests.local_hub.loopback import getaddrinfo

socket.getaddrinfo = getaddrinfo
