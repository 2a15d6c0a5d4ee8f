#!/usr/bin/env bash
# harden-debian-12.sh DIR: sets what many of the Debian 12 recommendations and the Security Best
# Practices ask for, as an administrator would. Needs root.
set -euo pipefail
root=$1
cat > "$root/etc/ssh/sshd_config" <<'CONFIG'
PermitRootLogin no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitEmptyPasswords no
X11Forwarding no
DisableForwarding yes
GSSAPIAuthentication no
MaxAuthTries 4
MaxSessions 10
LoginGraceTime 60
ClientAliveInterval 300
ClientAliveCountMax 3
Banner /etc/issue.net
AllowGroups ssh-users
MACs -umac-64@openssh.com,umac-64-etm@openssh.com
UsePAM yes
CONFIG
chmod 600 "$root/etc/ssh/sshd_config"
sed -i -E 's/^PASS_MAX_DAYS.*/PASS_MAX_DAYS 90/; s/^PASS_MIN_DAYS.*/PASS_MIN_DAYS 1/; s/^PASS_WARN_AGE.*/PASS_WARN_AGE 7/; s/^ENCRYPT_METHOD.*/ENCRYPT_METHOD YESCRYPT/' "$root/etc/login.defs"
cat > "$root/etc/security/pwquality.conf" <<'CONFIG'
minlen = 14
difok = 2
lcredit = -1
ucredit = -1
dcredit = -1
ocredit = -1
maxrepeat = 3
maxsequence = 3
enforce_for_root
CONFIG
printf 'deny = 5\nunlock_time = 900\n' > "$root/etc/security/faillock.conf"
cat > "$root/etc/pam.d/common-password" <<'CONFIG'
password requisite pam_pwquality.so retry=3
password requisite pam_pwhistory.so remember=24 enforce_for_root use_authtok
password [success=1 default=ignore] pam_unix.so obscure use_authtok try_first_pass yescrypt
password requisite pam_deny.so
password required pam_permit.so
CONFIG
cat > "$root/etc/pam.d/common-auth" <<'CONFIG'
auth required pam_faillock.so preauth
auth [success=1 default=ignore] pam_unix.so
auth [default=die] pam_faillock.so authfail
auth requisite pam_deny.so
auth required pam_permit.so
CONFIG
echo 'account required pam_faillock.so' >> "$root/etc/pam.d/common-account"
mkdir -p "$root"/etc/{sysctl.d,modprobe.d,sudoers.d,security}
: > "$root/etc/sysctl.d/60-hardening.conf"
for key in kernel.randomize_va_space=2 kernel.yama.ptrace_scope=1 net.ipv4.ip_forward=0 \
  net.ipv6.conf.all.forwarding=0 net.ipv4.icmp_ignore_bogus_error_responses=1 \
  net.ipv4.icmp_echo_ignore_broadcasts=1 net.ipv4.tcp_syncookies=1 \
  net.ipv{4,6}.conf.{all,default}.{accept_redirects,accept_source_route}=0 \
  net.ipv4.conf.{all,default}.{send_redirects,secure_redirects}=0 \
  net.ipv4.conf.{all,default}.{rp_filter,log_martians}=1 \
  net.ipv6.conf.{all,default}.accept_ra=0; do
  echo "$key" >> "$root/etc/sysctl.d/60-hardening.conf"
done
for module in cramfs freevxfs hfs hfsplus jffs2 overlay squashfs udf usb-storage dccp tipc rds sctp; do
  printf 'install %s /bin/false\nblacklist %s\n' "$module" "$module" > "$root/etc/modprobe.d/$module.conf"
done
cat > "$root/etc/fstab" <<'CONFIG'
/dev/vda1 / ext4 errors=remount-ro 0 1
tmpfs /tmp tmpfs nodev,nosuid,noexec 0 0
tmpfs /dev/shm tmpfs nodev,nosuid,noexec 0 0
/dev/vda2 /home ext4 nodev,nosuid 0 2
/dev/vda3 /var ext4 nodev,nosuid 0 2
/dev/vda4 /var/tmp ext4 nodev,nosuid,noexec 0 2
/dev/vda5 /var/log ext4 nodev,nosuid,noexec 0 2
/dev/vda6 /var/log/audit ext4 nodev,nosuid,noexec 0 2
CONFIG
for file in motd issue issue.net; do
  echo 'Authorized users only. What you do may be recorded.' > "$root/etc/$file"
  chmod 644 "$root/etc/$file"
done
printf 'Defaults use_pty\nDefaults logfile=/var/log/sudo.log\n' > "$root/etc/sudoers.d/60-hardening"
chmod 440 "$root/etc/sudoers.d/60-hardening"
chmod 600 "$root/etc/crontab"
chmod 700 "$root"/etc/cron.{d,hourly,daily,weekly,monthly}
