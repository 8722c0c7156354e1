"""The contract's tables as a whole: what they cover."""

import collections

import contract
import pytest
import test_contract_batch_errors
import test_contract_batches
import test_contract_errors
import test_contract_file_objects
import test_contract_files
import test_contract_limits
import test_contract_lines
import test_contract_models
import test_contract_uploads
import test_contract_webhooks

MODULES = (
    test_contract_batch_errors,
    test_contract_batches,
    test_contract_errors,
    test_contract_file_objects,
    test_contract_files,
    test_contract_limits,
    test_contract_lines,
    test_contract_models,
    test_contract_uploads,
    test_contract_webhooks,
)
FACTS = [fact for module in MODULES for fact in module.fact.rows]
# Section 8 is limits and prices of OpenAI's own tiers; 10 to 12 are not about the wire.
SECTIONS = {
    "1": 8,
    "2": 0,
    "3": 8,
    "4": 3,
    "5": 2,
    "6": 6,
    "7": 4,
    "9": 3,
}
SILENT = {"4.1"}  # the shape of a line: every row that the tests send


@pytest.mark.parametrize("section", SECTIONS)
def test_every_subsection_has_facts(section):
    found = {f.section for f in FACTS}
    wanted = {f"{section}.{i + 1}" for i in range(SECTIONS[section])} or {section}
    assert wanted - found - SILENT == set()


def test_every_kind_of_source_is_used():
    tags = collections.Counter(fact.tag for fact in FACTS)
    assert set(tags) == set(contract.TAGS), tags
    assert len(FACTS) >= 300
