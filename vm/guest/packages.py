"""What the guest takes from Debian: each package with the files that are kept of it."""

from __future__ import annotations

from collections.abc import Mapping

SUITE = "trixie"
KERNELS = {"amd64": "linux-image-amd64", "arm64": "linux-image-arm64"}
# The program that runs the binaries of the other architecture, named as its package names it.
FOREIGN = {"amd64": "aarch64", "arm64": "x86_64"}
# Its first number says which data it can be trusted with.
ENGINE = "docker.io"
LIBRARY = ("usr/lib/*/*.so.*",)
LIBC = ("usr/lib/*/lib{resolv,nss_dns,nss_files,pthread,dl,rt,util}.so.?",)

# Packages are unpacked, never installed: no script of theirs runs, so any computer makes the image of any architecture.
PACKAGES: Mapping[str, tuple[str, ...]] = {
    "base-files": ("usr/lib/os-release",),
    "busybox-static": ("usr/bin/busybox",),
    "ca-certificates": ("usr/share/ca-certificates/mozilla/*.crt",),
    "containerd": ("usr/bin/containerd", "usr/bin/containerd-shim-runc-v2"),
    "dnsmasq-base": ("usr/sbin/dnsmasq",),
    "docker-buildx": ("usr/libexec/docker/cli-plugins/docker-buildx",),
    "docker-cli": ("usr/bin/docker",),
    "docker-compose": ("usr/libexec/docker/cli-plugins/docker-compose",),
    "docker.io": ("usr/sbin/dockerd", "usr/sbin/docker-proxy", "usr/bin/docker-init"),
    "e2fsprogs": ("usr/sbin/mke2fs", "usr/sbin/e2fsck", "usr/sbin/resize2fs", "etc/mke2fs.conf"),
    "fuse3": ("usr/bin/fusermount3",),
    "iptables": ("usr/sbin/xtables-nft-multi", "usr/lib/*/xtables/libxt_*.so", "usr/lib/*/xtables/libip*t_*.so"),
    "libc6": ("usr/lib/*/ld-linux-*", "usr/lib/ld-linux-*", "usr/lib64/*", "usr/lib/*/lib[cm].so.6", *LIBC),
    "netcat-openbsd": ("usr/bin/nc.openbsd",),
    "openssh-server": ("usr/sbin/sshd", "usr/lib/openssh/sshd-*", "etc/ssh/moduli"),
    "openssh-sftp-server": ("usr/lib/openssh/sftp-server",),
    "perl-base": ("usr/bin/perl",),
    "runc": ("usr/sbin/runc",),
    "runit": ("usr/bin/runsvdir", "usr/bin/runsv", "usr/bin/sv", "usr/bin/svlogd"),
    "sshfs": ("usr/bin/sshfs",),
    "tini": ("usr/bin/tini-static",),
}
# Only the libraries that a program of the guest asks for are kept of these.
LIBRARIES = (
    *("libacl1", "libaudit1", "libblkid1", "libbsd0", "libcap-ng0", "libcap2", "libcom-err2", "libcrypt1"),
    *("libdbus-1-3", "libedit2", "libext2fs2t64", "libfuse3-4", "libglib2.0-0t64", "libgmp10", "libgssapi-krb5-2"),
    *("libhogweed6t64", "libidn2-0", "libip4tc2", "libip6tc2", "libjansson4", "libk5crypto3", "libkeyutils1"),
    *("libkrb5-3", "libkrb5support0", "libmd0", "libmnl0", "libnetfilter-conntrack3", "libnettle8t64", "libnfnetlink0"),
    *("libnftables1", "libnftnl11", "libpam0g", "libpcre2-8-0", "libseccomp2", "libselinux1", "libss2", "libssl3t64"),
    *("libsystemd0", "libtinfo6", "libunistring5", "libuuid1", "libwrap0", "libwtmpdb0", "libxtables12", "libzstd1"),
    *("zlib1g", "libsqlite3-0", "libatomic1", "libgcc-s1"),
)
# Their terms ask that they travel with the programs.
TERMS = ("usr/share/doc/*/copyright",)

MODULES = (
    # The initrd needs the first three names.
    *("virtio_blk", "squashfs", "overlay"),
    *("virtio_net", "virtio_console", "virtio_balloon", "virtio_rng", "virtio_mmio", "failover", "net_failover"),
    *(
        "qemu_fw_cfg",
        "evdev",
        "button",
        "gpio_keys",
        "virtio_input",
        "pvpanic*",
        "ext4",
        "loop",
        "binfmt_misc",
        "fuse",
        "virtiofs",
        "9p",
    ),
    *("9pnet_virtio", "cifs", "nfs", "nfsv3", "nfsv4", "isofs", "udf", "vfat", "nls_utf8", "nls_cp437", "nls_ascii"),
    *("br_netfilter", "bridge", "veth", "vxlan", "macvlan", "ipvlan", "dummy", "tun", "wireguard", "8021q", "ip_gre"),
    *("sch_*", "cls_*", "act_*", "em_*", "ifb", "nf_*", "nft_*", "nfnetlink*", "xt_*", "x_tables", "ip_*", "ip6_*"),
    *("ip6t_*", "ipt_*", "iptable_*", "ip6table_*", "ip_set*", "ip_vs*", "ebt*", "inet_diag", "tcp_diag", "udp_diag"),
    *("unix_diag", "netlink_diag", "cmac", "ccm", "gcm", "md4", "md5", "des_generic", "sha512_generic", "aes_generic"),
    *(
        "crc32*",
        "libcrc32c",
        "ctr",
        "cbc",
        "ghash*",
        "sha1*",
        "sha256*",
        "aes*",
        "arc4",
        "ecb",
        "hmac",
        "seqiv",
        "crypto_*",
        "xfrm_*",
        "esp4",
        "ah4",
        "authenc*",
        "tls",
        "tcp_bbr",
        "vsock",
    ),
    *("vmw_vsock_virtio_transport", "rtc_pl031", "gpio_pl061", "rtc-*", "cpufreq_dt", "i6300esb"),
)
