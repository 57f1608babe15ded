#!/usr/bin/env bash
# run.sh PROGRAM [ARGUMENTS]: runs the program on this computer's display, or on a virtual one served over VNC on
# loopback only, with a password made for this run, where there is no display.
set -euo pipefail
if [[ $(uname -s) != Linux || -n ${DISPLAY:-} || -n ${WAYLAND_DISPLAY:-} ]]; then
  exec "$@"
fi

echo "This computer shows no display, so the window opens on a virtual one. Look at it with any VNC viewer:"
folder=$(mktemp -d "${TMPDIR:-/tmp}/pilothouse-display.XXXXXX")
chmod 700 "$folder"
umask 077
program=
children=()
# The program first: without its display it would end as in a crash. Ten seconds are more than it may take to quit.
finish() {
  trap '' INT TERM HUP
  if [[ -n $program ]]; then
    kill "$program" 2>/dev/null || true
    for _ in $(seq 100); do kill -0 "$program" 2>/dev/null || break; sleep 0.1; done
    kill -KILL "$program" 2>/dev/null || true
  fi
  for child in "${children[@]}"; do kill "$child" 2>/dev/null || true; done
  wait 2>/dev/null || true
  rm -rf "$folder"
}
trap finish EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

password=$(head -c 256 /dev/urandom | LC_ALL=C tr -dc 'a-zA-Z2-9' | head -c 8)
vncpasswd=$(command -v tigervncpasswd || command -v vncpasswd)
printf '%s\n' "$password" | "$vncpasswd" -f >"$folder/password"
export XAUTHORITY=$folder/xauthority
cookie=$(head -c 16 /dev/urandom | od -An -tx1 | tr -d ' \n')

number=
for try in $(seq 10 99); do
  [[ -e /tmp/.X$try-lock || -S /tmp/.X11-unix/X$try ]] && continue
  (exec 3<>"/dev/tcp/127.0.0.1/$((5900 + try))") 2>/dev/null && continue
  rm -f "$XAUTHORITY"
  printf 'add :%s . %s\n' "$try" "$cookie" | xauth -q -f "$XAUTHORITY" source - 2>/dev/null
  # In a session of its own, out of reach of this terminal's Ctrl C.
  setsid Xvnc ":$try" -localhost -interface 127.0.0.1 -rfbport $((5900 + try)) -SecurityTypes VncAuth -PasswordFile "$folder/password" \
    -auth "$XAUTHORITY" -nolisten tcp -geometry "${GEOMETRY:-1300x840}" -depth 24 -desktop Pilothouse -AlwaysShared >"$folder/xvnc.log" 2>&1 &
  server=$!
  children=("$server")
  for _ in $(seq 100); do
    kill -0 "$server" 2>/dev/null || break
    if [[ -S /tmp/.X11-unix/X$try ]] && (exec 3<>"/dev/tcp/127.0.0.1/$((5900 + try))") 2>/dev/null; then number=$try; break; fi
    sleep 0.1
  done
  if [[ -n $number ]]; then break; fi
  kill "$server" 2>/dev/null || true
  children=()
done
if [[ -z $number ]]; then
  echo "No virtual display could be started. Its last words:" >&2
  tail -n 5 "$folder/xvnc.log" >&2 || true
  exit 1
fi
export DISPLAY=:$number
if command -v openbox >/dev/null; then
  setsid openbox >/dev/null 2>&1 &
  children+=("$!")
fi
echo "VNC 127.0.0.1:$((5900 + number)) password $password"
QT_QPA_PLATFORM=xcb "$@" &
program=$!
code=0
wait "$program" || code=$?
exit "$code"
