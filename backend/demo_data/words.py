"""Invented names and field notes, in the words of the service. Nobody here is anybody."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

FAMILY: Mapping[str, float] = {
    "Nguyễn": 36,
    "Trần": 11,
    "Lê": 10,
    "Phạm": 7,
    "Hoàng": 5,
    "Phan": 4,
    "Vũ": 4,
    "Đặng": 3,
    "Bùi": 3,
    "Đỗ": 3,
    "Hồ": 2,
    "Ngô": 2,
    "Dương": 2,
    "Lý": 1,
    "Đinh": 1,
    "Trịnh": 1,
    "Mai": 1,
    "Tô": 1,
}
MEN_MIDDLE = ("Văn", "Đức", "Minh", "Quang", "Hữu", "Công", "Thanh", "Xuân", "Đình", "Anh", "Trọng", "Bá")
MEN = (
    "An Bảo Bình Chiến Cường Duy Dũng Đạt Định Giang Hải Hào Hiếu Hòa Hùng Huy Khánh Khoa Kiên Lâm Long Lộc Minh Nam "
    "Nghĩa Nhân Phong Phúc Quân Quyết Sơn Tài Tâm Thành Thắng Thịnh Toàn Trí Trung Tuấn Tùng Tường Việt Vinh Vương"
).split()
WOMEN_MIDDLE = ("Thị", "Thị Thu", "Thị Ngọc", "Thanh", "Thu", "Ngọc", "Hồng", "Minh", "Phương", "Thùy", "Kim")
WOMEN = (
    "Anh Chi Dung Diệp Giang Hà Hạnh Hằng Hiền Hoa Hương Huyền Lan Liên Linh Loan Mai My Nga Ngân Nguyệt Nhung Oanh "
    "Phương Quyên Quỳnh Tâm Thảo Thoa Thơm Thúy Trang Trinh Tú Uyên Vân Xuân Yến"
).split()

RANKS = ("Kiểm tra viên", "Kiểm tra viên", "Kiểm tra viên", "Kiểm tra viên chính", "Kiểm tra viên trung cấp")
LEADER_RANKS = ("Chi cục trưởng", "Phó Chi cục trưởng")

# What an officer writes at the end of an uneventful inspection, by checklist.
QUIET: Mapping[str, Sequence[str]] = {
    "passenger_baggage": (
        "Hành khách hợp tác, hành lý phù hợp với khai báo.",
        "Hành lý gồm quần áo, quà biếu; không phát hiện vi phạm.",
        "Đã soi chiếu toàn bộ hành lý, không có dấu hiệu nghi vấn.",
        "Hành khách quá cảnh, kiểm tra xác suất, cho qua.",
        "Mở kiểm tra một kiện theo yêu cầu, hàng tiêu dùng cá nhân.",
    ),
    "air_cargo": (
        "Hàng linh kiện điện tử, đúng khai báo về tên hàng và trọng lượng.",
        "Soi chiếu đủ các kiện, hình ảnh đồng nhất.",
        "Chênh lệch trọng lượng trong phạm vi cho phép của cân kho.",
        "Đại diện kho chứng kiến, niêm phong lại sau kiểm tra.",
        "Hàng mẫu may mặc, không phát hiện bất thường.",
    ),
    "express_postal": (
        "Bưu gửi quà tặng, nội dung đúng tờ khai.",
        "Kiện hàng mỹ phẩm, nhãn và tem đầy đủ, cho thông quan.",
        "Soi chiếu không có mật độ bất thường.",
        "Hàng thương mại điện tử trị giá thấp, đúng khai báo.",
        "Thực phẩm chức năng, đối chiếu số lô khớp với hóa đơn.",
    ),
    "container": (
        "Kiểm tra 7 điểm, vách và sàn không có dấu hiệu gia cố.",
        "Niêm phong nguyên vẹn, số niêm phong khớp vận đơn.",
        "Lấy mẫu ba hàng kiện, đúng khai báo.",
        "Container lạnh, hộp quạt và ống gió bình thường.",
    ),
    "road_vehicle": (
        "Xe khách tuyến cố định, lái xe xuất trình đủ giấy tờ.",
        "Xe tải hàng nông sản, kiểm tra 17 điểm không phát hiện nghi vấn.",
        "Lái xe qua lại thường xuyên, đã đối chiếu danh sách.",
        "Bình nhiên liệu và lốp dự phòng bình thường.",
    ),
    "equipment_readiness": ("Thiết bị sẵn sàng cho ca trực.", "Đã ghi sổ theo dõi thiết bị."),
    "canine_team": ("Chó làm việc tốt, nghỉ đủ giữa các lượt.", "Hoàn thành lượt kiểm tra theo kế hoạch ca."),
    "suspected_drugs": ("Đã bảo vệ hiện trường và báo cáo lãnh đạo.",),
    "exhibit_handover": ("Bàn giao đủ tang vật và hồ sơ, hai bên không có ý kiến khác.",),
}
SUSPICIOUS: Sequence[str] = (
    "Hình ảnh soi có vùng mật độ hữu cơ chưa rõ, chuyển kiểm tra sâu.",
    "Người khai báo trả lời không thống nhất, đề nghị theo dõi thêm.",
    "Địa chỉ nhận trùng với nhiều bưu gửi trong tháng, đã báo bộ phận phân tích.",
    "Chó nghiệp vụ có biểu hiện quan tâm, mở kiểm tra chưa phát hiện.",
    "Bao bì có dấu hiệu dán lại, đã chụp ảnh lưu hồ sơ.",
)
FINDINGS: Sequence[str] = (
    "Phát hiện chất tinh thể màu trắng giấu trong đáy va li, thử nhanh dương tính với methamphetamine.",
    "Trong gói thức ăn thú cưng có 04 túi viên nén nhiều màu, nghi MDMA; đã lập biên bản.",
    "Hộp sữa bột hàn lại mép, bên trong chứa bột trắng nghi ketamine.",
    "Thảo mộc khô nghi cần sa giấu trong loa thùng, khoảng 1,2 kg cả bì.",
    "Phát hiện lá khô nghi khat khai báo là chè, tạm giữ chờ giám định.",
    "Chất bột nghi heroin trong gót giày, đã bàn giao theo quy chế phối hợp.",
)
OTHER_FINDINGS: Sequence[str] = (
    "Ngoại tệ tiền mặt vượt mức quy định, không khai báo; đã lập biên bản vi phạm.",
    "Thuốc lá điện tử và tinh dầu không có giấy phép nhập khẩu, tạm giữ chờ xử lý.",
    "Sản phẩm nghi từ ngà voi giấu trong khối gỗ, đã mời cơ quan kiểm lâm.",
    "Hàng giả nhãn hiệu, số lượng lớn hơn khai báo, chuyển bộ phận xử lý.",
    "Pháo nổ trộn trong hàng đồ chơi, đã niêm phong toàn bộ.",
    "Thuốc tân dược không khai báo, nghi tiền chất; lấy mẫu gửi giám định.",
)
# A reviewer's notes at a question, by the kind of step.
NOTES: Mapping[str, Sequence[str]] = {
    "choice": (
        "Đồng chí ghi rõ căn cứ chọn kết quả này.",
        "Kết quả chưa khớp với phần ghi chú, đề nghị kiểm tra lại.",
    ),
    "multi": ("Đánh dấu đủ các mục đã kiểm tra.", "Bổ sung mục còn thiếu theo biên bản giấy."),
    "number": ("Kiểm tra lại số lượng, sổ theo dõi ghi khác.",),
    "measure": ("Số cân khác với phiếu cân, đề nghị nhập lại.",),
    "scan": ("Số hiệu thiếu ký tự, đề nghị quét lại.",),
    "photo": ("Ảnh mờ, đề nghị chụp lại có thước tỷ lệ.",),
    "text": ("Viết rõ hơn, nêu số và ngày văn bản.",),
    "bool": ("Đề nghị xác nhận lại nội dung này.",),
}
APPROVALS: Sequence[str] = (
    "",
    "",
    "",
    "",
    "Đồng ý.",
    "Hồ sơ đủ, đồng ý duyệt.",
    "Làm tốt, lưu ý ghi rõ mẫu niêm phong.",
)
VOID_REASONS: Sequence[str] = (
    "Báo cáo trùng, đã có báo cáo khác cho cùng lượt kiểm tra.",
    "Nhập nhầm đơn vị, đã lập lại báo cáo đúng.",
    "Báo cáo thử khi tập huấn.",
)
UNAVAILABLE: Sequence[str] = (
    "Máy soi đang bảo trì theo lịch.",
    "Thiết bị lỗi nguồn, đã báo bộ phận kỹ thuật.",
    "Đang dùng cho vụ việc khác.",
)
NOT_APPLICABLE: Sequence[str] = (
    "Không thuộc trường hợp này.",
    "Loại hàng không có bộ phận này.",
    "Không phát sinh.",
)
KEPT_ELSEWHERE = "Ảnh soi lưu trên hệ thống máy soi, không có vùng nghi vấn."
GOODS: Mapping[str, Sequence[str]] = {
    "air_cargo": (
        "Linh kiện điện tử",
        "Vải mẫu",
        "Thiết bị y tế",
        "Phụ tùng ô tô",
        "Hoa tươi",
        "Thực phẩm đông lạnh",
    ),
    "express_postal": (
        "Mỹ phẩm",
        "Thực phẩm chức năng",
        "Quần áo",
        "Đồ chơi",
        "Bánh kẹo",
        "Thức ăn thú cưng",
        "Sách",
    ),
    "container": (
        "Hạt nhựa",
        "Gỗ xẻ",
        "Máy móc đã qua sử dụng",
        "Giấy phế liệu",
        "Thủy sản đông lạnh",
        "Hạt điều thô",
    ),
    "road_vehicle": ("Nông sản", "Gỗ rừng trồng", "Hàng bách hóa", "Sắn lát", "Cao su", "Trái cây tươi"),
}
