"""Every acceptance case is accounted for at every venue: it runs, or is refused with a reason, or says why not."""

import importlib
from pathlib import Path

import pytest

from tests.support.cases import ALL, DATA, EXECUTION, OWN, TESTED
from tests.support.profiles import PROFILES, VenueProfile

HERE = Path(__file__).parent

#: In these a user could ask for the thing, so where it is missing the asking must be tested, not skipped.
BASELINE_GROUPS = ("TC-E0", "TC-E1", "TC-E2", "TC-E3", "TC-E4", "TC-E5", "TC-E6", "TC-D0", "TC-D1", "TC-D2", "TC-D3")


@pytest.fixture(scope="module", autouse=True)
def all_cases_defined() -> None:
    for path in sorted(HERE.glob("test_*.py")):
        importlib.import_module(f"tests.acceptance.{path.stem}")


def test_the_specification_is_whole():
    assert (len(EXECUTION), len(DATA), len(OWN)) == (69, 26, 20)


@pytest.mark.parametrize("profile", PROFILES, ids=str)
@pytest.mark.parametrize("case_id", ALL)
def test_case_is_accounted_for(profile: VenueProfile, case_id: str):
    if case_id in profile.not_applicable:
        assert case_id not in profile.refused
        assert len(profile.not_applicable[case_id]) > 20, "say why"
        return
    assert case_id in TESTED, f"{case_id} ({ALL[case_id]}) has no test; say in the profile if it does not apply"
    if case_id in profile.refused:
        assert profile.refused[case_id].reason, "say what the user must read"


@pytest.mark.parametrize("profile", PROFILES, ids=str)
def test_profile_names_only_cases(profile: VenueProfile):
    assert set(profile.refused) <= set(ALL)
    assert set(profile.not_applicable) <= set(ALL)


@pytest.mark.parametrize("profile", PROFILES, ids=str)
def test_what_a_user_could_ask_for_is_tested(profile: VenueProfile):
    """Of the baseline groups nothing may be waved through as not applicable."""
    waved = [case for case in profile.not_applicable if case.startswith(BASELINE_GROUPS) and len(case) == len("TC-E01")]
    assert waved == []
