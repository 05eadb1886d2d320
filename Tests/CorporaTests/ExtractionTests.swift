import TestSupport
import Testing

@testable import Corpora

private func strings(_ paragraphs: [[UInt8]]) -> [String] {
    paragraphs.map { String(decoding: $0, as: UTF8.self).split(separator: "\n").joined(separator: "|") }
        .filter { !$0.allSatisfy(\.isWhitespace) }
}

@Suite struct HTMLTextTests {
    private func read(_ html: String) -> [String] { strings(paragraphs(ofHTML: Array(html.utf8))) }

    @Test func blockElementsMakeParagraphs() {
        let page = "<html><body><h1>标题</h1><p>第一<b>段</b>。</p><ul><li>甲</li><li>乙 &amp; 丙</li></ul>尾</body></html>"
        #expect(read(page) == ["标题", "第一段。", "甲", "乙 & 丙", "尾"])
    }

    @Test func scriptsListingsAndNavigationAreLeftOut() {
        let page = """
            <head><title>t</title><style>p{}</style></head><body><script>var a = "<p>x</p>";</script>
            <nav>n</nav><div class="navheader big">h</div><div id="toc">t</div><pre>code</pre><p>text</p>
            <select><option>o</option></select><div class="footer">f</div></body>
            """
        #expect(read(page) == ["text"])
    }

    @Test func entitiesAndMissingTagsAreMended() {
        #expect(read("<p>a &lt; b &#20013; &hellip;<p>second<div>third") == ["a < b 中 …", "second", "third"])
    }

    @Test func aBreakIsALineEnd() {
        #expect(read("<p>床前明月光<br>疑是地上霜</p>") == ["床前明月光|疑是地上霜"])
    }

    @Test func utf8IsReadAsThatWhateverThePageSays() {
        #expect(read("<meta charset=\"gb2312\"><p>中文</p>") == ["中文"])
    }

    @Test func anotherEncodingIsReadAsThePageSays() {
        let start = Array("<html><head><meta charset=\"gb18030\"></head><body><p>".utf8)
        let page = start + [0xD6, 0xD0, 0xCE, 0xC4] + Array("</p></body></html>".utf8)
        #expect(strings(paragraphs(ofHTML: page)) == ["中文"])
    }

    @Test func anyBytesAreSurvived() {
        #expect(paragraphs(ofHTML: []).isEmpty)
        _ = paragraphs(ofHTML: [0, 0xFF, 0x3C, 0x3C])
        let deep = String(repeating: "<div>", count: 20_000) + "x"
        _ = paragraphs(ofHTML: Array(deep.utf8))
        var generator = SeededGenerator(seed: 1)
        for _ in 0..<300 {
            _ = paragraphs(
                ofHTML: (0..<200).map { _ in "<>/pdiv&;a \0\u{FF}\"'=!-".utf8.randomElement(using: &generator) ?? 0 })
        }
    }
}

@Suite struct RoffTextTests {
    private func read(_ page: String) -> [String] { strings(paragraphs(ofManualPage: Array(page.utf8))) }

    @Test func requestsDivideParagraphs() {
        let page = """
            .\\" a comment
            .TH LS 1 2022 "GNU" 用户命令
            .SH 名称
            ls \\- 列出目录内容
            .SH "一 描述"
            第一行
            第二行
            .PP
            新的 \\fB段落\\fP。

            空行之后
            .TP
            \\fB\\-a\\fP, \\fB\\-\\-all\\fP
            不隐藏任何项目
            .IP "标签 一" 4
            内容
            """
        #expect(
            read(page) == [
                "名称", "ls - 列出目录内容", "一 描述", "第一行|第二行", "新的 段落。", "空行之后", "-a, --all", "不隐藏任何项目",
                "标签 一", "内容",
            ])
    }

    @Test func fontMacrosJoinTheirArguments() {
        #expect(read(".B two words\n.BR ls (1),\n.IR \"a b\" c\n.B\nnext") == ["two words|ls(1),|a bc|next"])
    }

    @Test func escapesFallAwayOrBecomeCharacters() {
        let line = #"\fBx\f(CWy\f[R] \s-1z\s0 \(lqq\(rq \[u4E2D]\(em\e \*(Aq \&.a\ b\|c\h'1n'd \~e \" comment"#
        #expect(read(line) == ["xy z “q” 中—\\ ' .a bcd  e "])
        #expect(read("end\\") == ["end"])
        #expect(read("\\") == [])
        #expect(read("a\\(") == ["a"])
        #expect(read("a\\[unclosed") == ["a"])
    }

    @Test func tablesMacrosAndTypesetterPartsAreLeftOut() {
        let page = """
            .de XX
            inside
            ..
            .TS
            l l.
            a\tb
            .TE
            .if t typeset
            .if n terminal
            .ie t \\{\\
            one
            .\\}
            .el \\{\\
            two
            .\\}
            .ig
            ignored
            ..
            end
            """
        #expect(read(page) == ["terminal|end"])
    }

    @Test func unfilledLinesStandAlone() {
        #expect(read("a\nb\n.nf\nc\nd\n.fi\ne\nf") == ["a|b", "c", "d", "e|f"])
    }

    @Test func mdocMacrosGiveTheirWords() {
        #expect(
            read(".Sh NAME\n.Nm ls\n.Nd list\n.Pp\nuse\n.Fl a\nor\n.Xr cat 1 .") == [
                "NAME", "ls|list", "use|-a|or|cat 1.",
            ])
    }

    @Test func anyBytesAreSurvived() {
        var generator = SeededGenerator(seed: 1)
        for _ in 0..<500 {
            _ = paragraphs(
                ofManualPage: (0..<120).map { _ in
                    ".\\\n {}[](*fsnhBITPSHifel'\"\u{FF} ".utf8.randomElement(using: &generator) ?? 0
                })
        }
    }
}

@Suite struct FortuneTextTests {
    @Test func cookiesAreParagraphs() {
        let file = "第一行\n第二行\n\n  -- 某人\n%\n\u{1B}[32m《题》\u{1B}[m\n诗\n%\n"
        #expect(strings(paragraphs(ofFortunes: Array(file.utf8))) == ["第一行|第二行", "  -- 某人", "《题》|诗"])
    }
}
