#!/bin/sh
# Ctrl-C reaches every process of the terminal: workerd must outlive node's orderly stop.
trap '' INT HUP TERM
exec "$POSTHORN_WORKERD" "$@"
