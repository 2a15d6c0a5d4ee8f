#!/usr/bin/env bash
# plant.sh DIR: plants one problem for each rule that can show on an image. Needs root and python3.
set -euo pipefail
root=$1
# SSH: root by an included file, passwords again by a Match block, an old protocol.
mkdir -p "$root/etc/ssh/sshd_config.d"
printf '# made by the image builder\nPermitRootLogin yes\n' > "$root/etc/ssh/sshd_config.d/50-builder.conf"
cat > "$root/etc/ssh/sshd_config" <<'CONFIG'
Include /etc/ssh/sshd_config.d/*.conf
Protocol 2,1
PermitRootLogin no
PasswordAuthentication no
Match Address 10.0.0.0/8
    PasswordAuthentication yes
CONFIG
# Passwords: never too old, short by an argument that hides the file.
sed -i -E 's/^PASS_MAX_DAYS.*/PASS_MAX_DAYS 99999/' "$root/etc/login.defs"
printf 'password required pam_unix.so yescrypt\npassword requisite pam_pwquality.so retry=3 minlen=6\n' > "$root/etc/pam.d/common-password"
echo 'minlen = 20' > "$root/etc/security/pwquality.conf"
# ASLR: right in one file, lowered by a later one.
mkdir -p "$root/etc/sysctl.d"
echo 'kernel.randomize_va_space = 2' > "$root/etc/sysctl.d/10-aslr.conf"
printf '# for the debugger\nkernel.randomize_va_space = 0\n' > "$root/etc/sysctl.d/99-debug.conf"
# Permissions.
chmod 0777 "$root/usr/local/bin"
mkdir -p "$root/srv/planted"
echo x > "$root/srv/planted/everybody" && chmod 0666 "$root/srv/planted/everybody"
mkdir "$root/srv/planted/open" && chmod 0777 "$root/srv/planted/open"
echo x > "$root/srv/planted/nobodys" && chown 54321:54321 "$root/srv/planted/nobodys"
# A unit that runs a program as root which everybody can replace.
mkdir -p "$root/opt/agent"
printf '#!/bin/sh\nsleep infinity\n' > "$root/opt/agent/run" && chmod 0777 "$root/opt/agent/run"
printf '[Unit]\nDescription=Agent\n[Service]\nExecStart=/opt/agent/run\n[Install]\nWantedBy=multi-user.target\n' > "$root/etc/systemd/system/agent.service"
ln -sf /etc/systemd/system/agent.service "$root/etc/systemd/system/multi-user.target.wants/agent.service"
# A program from outside the distribution that asks for an executable stack.
cp -L "$root/bin/true" "$root/opt/agent/tool"
python3 - "$root/opt/agent/tool" <<'PATCH'
import struct, sys
path = sys.argv[1]
data = bytearray(open(path, "rb").read())
start, = struct.unpack_from("<Q", data, 32)
size, count = struct.unpack_from("<HH", data, 54)
for i in range(count):
    kind, flags = struct.unpack_from("<II", data, start + i * size)
    if kind == 0x6474E551:
        struct.pack_into("<I", data, start + i * size + 4, flags | 1)
open(path, "wb").write(data)
PATCH
