"""A form filled in again with what was typed in it: the one that was sent, each kind of field, and nothing
that a page gives its forms itself."""

from crm_compliance.console.layout.refill import refilled

FORM = (
    '<p>1 &lt; 2</p><details><summary>More</summary><form method="post" action="/a?x=1"><input type="hidden" name="csrf" value="new">'
    '<input name="one" value="&quot;old&quot;" required><textarea name="text" rows="2">\nbefore &amp; after</textarea>'
    '<input type="checkbox" name="box" value="1" checked><input type="checkbox" name="box" value="2">'
    '<select name="pick"><option value="">none</option><option value="a" selected>A</option><option value="b">B</option></select>'
    '<details><summary>Rest</summary><textarea name="rest"></textarea></details><input type="file" name="file">'
    '<button name="do" value="yes">Yes</button></form></details>'
)


def test_each_kind_of_field_says_what_was_given_and_all_of_it_is_open() -> None:
    given = [("csrf", "old"), ("one", "'\"<b>&amp;"), ("text", "\r\n first\r\n</textarea>"), ("box", "2"), ("pick", "b"), ("rest", "more")]
    assert refilled(FORM, "/a", [*given, ("do", "yes"), ("file", "x")], "<i>!</i>") == (
        '<p>1 &lt; 2</p><details open><summary>More</summary><form method="post" action="/a?x=1"><i>!</i>'
        '<input type="hidden" name="csrf" value="new"><input name="one" value="&#x27;&quot;&lt;b&gt;&amp;amp;" required>'
        '<textarea name="text" rows="2" data-was="before &amp; after">\n\n first\n&lt;/textarea&gt;</textarea>'
        '<input type="checkbox" name="box" value="1"><input type="checkbox" name="box" value="2" checked>'
        '<select name="pick"><option value="">none</option><option value="a">A</option><option value="b" selected>B</option></select>'
        '<details open><summary>Rest</summary><textarea name="rest" data-was="">\nmore</textarea></details><input type="file" name="file">'
        '<button name="do" value="yes">Yes</button></form></details>'
    )


def test_what_is_not_in_the_form_that_was_sent_stays_as_it_is() -> None:
    same = [("one", '"old"'), ("text", "before & after"), ("box", "1"), ("pick", "a")]
    assert refilled(FORM, "/a", same, "") == FORM.replace("<details>", "<details open>", 1)
    assert refilled(FORM, "/b", same, "") is None


def test_a_field_that_is_wrong_says_so_and_has_the_focus() -> None:
    filled = refilled(FORM, "/a", [("one", "x"), ("text", "t"), ("box", "1")], "", ("rest", "<too short>"))
    assert filled is not None
    assert (
        '<p class="error" id="e-rest">&lt;too short&gt;</p><textarea name="rest" aria-invalid="true" autofocus aria-describedby="e-rest">'
        in filled
    )
    assert "<details open><summary>Rest" in filled
    filled = refilled(FORM, "/a", [], "", ("box", "choose one"))
    assert filled is not None
    assert '<input type="checkbox" name="box" value="1" aria-invalid="true" autofocus>' in filled
    assert "choose one" not in filled, "between a choice and its words there is no place for it"
    marked = FORM.replace('name="rest"', 'name="rest" aria-invalid="true"')
    assert refilled(marked, "/a", [("text", "t")], "") == refilled(marked, "/a", [("text", "t")], "", ("csrf", "is not typed"))
    assert 'name="rest" aria-invalid="true" autofocus>' in (refilled(marked, "/a", [("text", "t")], "") or "")


def test_of_several_forms_to_one_address_the_one_is_filled_in_that_was_sent() -> None:
    form = '<form action="/told"><input type="hidden" name="notice" value="{}"><input name="how" value=""></form>'
    page = form.format(1) + form.format(2) + '<form action="/x"><input name="how"><button formaction="/no">No</button></form>'
    filled = refilled(page, "/told", [("how", "by post"), ("notice", "2")], "")
    assert filled == page.replace('"2"><input name="how" value=""', '"2"><input name="how" value="by post"')
    assert refilled(page, "/no", [("how", "by post")], "") == page.replace('<input name="how"><', '<input name="how" value="by post"><')
