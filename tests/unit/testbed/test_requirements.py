"""Lists of packages, less what an image does not need."""

from synapse_testbed.programs import REQUIREMENTS, UNUSED, without

LIST = """\
granian==2.8.7 \\
    --hash=sha256:aa \\
    --hash=sha256:bb
grpc==1.0 ; python_version < '3.12' \\
    --hash=sha256:cc
zipp==4.1.2 \\
    --hash=sha256:dd
"""


def test_a_package_leaves_a_list_with_all_its_hashes() -> None:
    assert without(LIST, ("grpc", "granian")) == "zipp==4.1.2 \\\n    --hash=sha256:dd\n"
    assert without(LIST, ()) == LIST


def test_what_litellms_image_does_without_is_in_its_list() -> None:
    whole = REQUIREMENTS.read_text()
    for package in UNUSED:
        assert len(without(whole, (package,))) < len(whole), package
