#!/usr/bin/env bash
# harden-debian-12.sh DIR: sets what the Level 2 Server recommendations for Debian 12 and the Security
# Best Practices ask for, as an administrator would. Needs root, and installs packages.
set -euo pipefail
root=$1
DEBIAN_FRONTEND=noninteractive chroot "$root" apt-get install -y -q --no-install-recommends \
  aide aide-common apparmor-utils audispd-plugins nftables
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
MaxStartups 10:30:60
UsePAM yes
CONFIG
chmod 600 "$root/etc/ssh/sshd_config"
chroot "$root" groupadd --force ssh-users
sed -i -E 's/^UMASK.*/UMASK 027/; s/^PASS_MAX_DAYS.*/PASS_MAX_DAYS 90/; s/^PASS_MIN_DAYS.*/PASS_MIN_DAYS 1/; s/^PASS_WARN_AGE.*/PASS_WARN_AGE 7/; s/^ENCRYPT_METHOD.*/ENCRYPT_METHOD YESCRYPT/' "$root/etc/login.defs"
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
printf 'deny = 4\nunlock_time = 900\neven_deny_root\n' > "$root/etc/security/faillock.conf"
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
for key in fs.suid_dumpable=0 kernel.randomize_va_space=2 kernel.yama.ptrace_scope=1 net.ipv4.ip_forward=0 \
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
(umask 137 && touch "$root/etc/cron.allow")
chroot "$root" groupadd --force su-users
sed -i '/pam_rootok.so/a auth required pam_wheel.so use_uid group=su-users' "$root/etc/pam.d/su"
echo 'INACTIVE=45' >> "$root/etc/default/useradd"
echo 'readonly TMOUT=900 ; export TMOUT' > "$root/etc/profile.d/50-timeout.sh"
echo 'umask 027' > "$root/etc/profile.d/50-umask.sh"
echo '* hard core 0' > "$root/etc/security/limits.d/60-core.conf"
mkdir -p "$root"/etc/systemd/{journald,coredump}.conf.d "$root/etc/default"
printf '[Journal]\nStorage=persistent\nCompress=yes\nForwardToSyslog=yes\n' > "$root/etc/systemd/journald.conf.d/60-hardening.conf"
printf '[Coredump]\nStorage=none\nProcessSizeMax=0\n' > "$root/etc/systemd/coredump.conf.d/60-hardening.conf"
echo 'GRUB_CMDLINE_LINUX="apparmor=1 security=apparmor audit=1 audit_backlog_limit=8192"' > "$root/etc/default/grub"
cat > "$root/etc/nftables.conf" <<'CONFIG'
#!/usr/sbin/nft -f
flush ruleset
table inet filter {
	chain input {
		type filter hook input priority filter; policy drop;
		iif lo accept
		ip saddr 127.0.0.0/8 counter drop
		ip6 saddr ::1 counter drop
		ct state established accept
		tcp dport 22 ct state new accept
	}
	chain forward {
		type filter hook forward priority filter; policy drop;
	}
	chain output {
		type filter hook output priority filter; policy drop;
		oif lo accept
		ct state new,established accept
	}
}
CONFIG
chroot "$root" systemctl enable nftables.service
[ ! -e "$root/etc/ufw/ufw.conf" ] || chroot "$root" systemctl disable ufw.service
# What is audited, and what happens where it cannot be.
set_auditd() { sed -i -E "s/^$1 *=.*/$1 = $2/" "$root/etc/audit/auditd.conf"; }
set_auditd max_log_file_action keep_logs
set_auditd space_left_action email
set_auditd admin_space_left_action halt
set_auditd disk_full_action halt
set_auditd disk_error_action halt
rules="$root/etc/audit/rules.d"
{
  for path in /etc/sudoers /etc/sudoers.d /var/log/sudo.log /etc/localtime /etc/issue /etc/issue.net \
    /etc/hosts /etc/networks /etc/network /etc/group /etc/passwd /etc/gshadow /etc/shadow \
    /etc/security/opasswd /etc/nsswitch.conf /etc/pam.conf /etc/pam.d /var/run/utmp /var/log/wtmp \
    /var/log/btmp /var/log/lastlog /var/run/faillock /etc/apparmor /etc/apparmor.d; do
    echo "-w $path -p wa -k watched"
  done
  for arch in b64 b32; do
    echo "-a always,exit -F arch=$arch -C euid!=uid -F auid!=unset -S execve -k user_emulation"
    echo "-a always,exit -F arch=$arch -S adjtimex,settimeofday -k time"
    echo "-a always,exit -F arch=$arch -S clock_settime -F a0=0x0 -k time"
    echo "-a always,exit -F arch=$arch -S sethostname,setdomainname -k network"
    for error in EACCES EPERM; do
      echo "-a always,exit -F arch=$arch -S creat,open,openat,truncate,ftruncate -F exit=-$error -F auid>=1000 -F auid!=unset -k access"
    done
    for calls in chmod,fchmod,fchmodat chown,fchown,lchown,fchownat mount unlink,unlinkat,rename,renameat \
      setxattr,lsetxattr,fsetxattr,removexattr,lremovexattr,fremovexattr; do
      echo "-a always,exit -F arch=$arch -S $calls -F auid>=1000 -F auid!=unset -k changed"
    done
  done
  echo '-a always,exit -F arch=b64 -S init_module,finit_module,delete_module,create_module,query_module -F auid>=1000 -F auid!=unset -k modules'
  for program in /usr/bin/chcon /usr/bin/setfacl /usr/bin/chacl /usr/sbin/usermod /usr/bin/kmod \
    $(chroot "$root" find / -xdev -perm /6000 -type f); do
    echo "-a always,exit -F path=$program -F perm=x -F auid>=1000 -F auid!=unset -k programs"
  done
} > "$rules/50-hardening.rules"
echo '-e 2' > "$rules/99-finalize.rules"
chmod 640 "$rules"/*
for tool in auditctl auditd ausearch aureport autrace augenrules; do
  echo "/sbin/$tool p+i+n+u+g+s+b+acl+xattrs+sha512"
done >> "$root/etc/aide/aide.conf"
# A stand-in for the database: making one takes a while, and it would tell of every file.
touch "$root/var/lib/aide/aide.db"
find "$root/var/log" -type f -exec chmod u-x,g-wx,o-rwx {} +
